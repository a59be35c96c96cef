package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * What reading frames costs, the payload itself left where it is. Each invocation reads a whole
 * stream with the one reader, as a session does.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class FrameReaderBenchmark {
  private static final int BYTES = 65536;

  private final FrameReader v1Reader = new FrameReader(Dialect.V1);
  private final FrameReader extendedReader = new FrameReader(Dialect.EXTENDED);
  private final ByteBuf v1Full = v1Messages(BYTES, Frame.MAX_PAYLOAD);
  private final ByteBuf v1Small = v1Messages(64, 64);
  private final ByteBuf extendedFull = extendedFrame(BYTES);
  private final ByteBuf extendedSmall = extendedFrame(64);
  private final ByteBuf passed = descriptor();

  private static ByteBuf v1Messages(int bytes, int most) {
    ByteBuf stream = Unpooled.directBuffer();
    for (int left = bytes; left > 0; left -= Math.min(left, most)) {
      int length = Math.min(left, most);
      Frame.header(stream, Frame.NORMAL, length);
      stream.writeZero(length);
      Frame.header(stream, Frame.END, 0);
    }
    return stream;
  }

  private static ByteBuf extendedFrame(int bytes) {
    ByteBuf stream = Unpooled.directBuffer();
    Frame.header(stream, Frame.PAYLOAD, bytes);
    return stream.writeZero(bytes);
  }

  private static ByteBuf descriptor() {
    ByteBuf stream = Unpooled.directBuffer();
    new Frame.ScmRights(0x8002, "/var/lib/libvirt/images/disk.qcow2").encode(stream);
    return stream;
  }

  /** 64 KiB in v1: 17 messages, 34 frames. */
  @Benchmark
  public int readV1Of64K() throws ProtocolException {
    return read(v1Reader, v1Full);
  }

  /** One message of 64 bytes in v1: 2 frames. */
  @Benchmark
  public int readV1Of64() throws ProtocolException {
    return read(v1Reader, v1Small);
  }

  /** 64 KiB in the extended dialect: a frame. */
  @Benchmark
  public int readExtendedOf64K() throws ProtocolException {
    return read(extendedReader, extendedFull);
  }

  /** 64 bytes in the extended dialect: a frame. */
  @Benchmark
  public int readExtendedOf64() throws ProtocolException {
    return read(extendedReader, extendedSmall);
  }

  /** A file that was passed, path and all. */
  @Benchmark
  public int readPassedFile() throws ProtocolException {
    return read(extendedReader, passed);
  }

  private static int read(FrameReader reader, ByteBuf stream) throws ProtocolException {
    stream.readerIndex(0);
    int seen = 0;
    while (true) {
      switch (reader.next(stream)) {
        case NEED_MORE -> {
          return seen;
        }
        case PAYLOAD, CONTENT -> {
          int bytes = Math.min(reader.payloadLeft(), stream.readableBytes());
          reader.takePayload(stream, bytes);
          seen += bytes;
        }
        case PASSED -> seen += reader.passed().hashCode();
        case CONTENT_LOST, END, EMPTY, CONTROL -> seen++;
      }
    }
  }
}
