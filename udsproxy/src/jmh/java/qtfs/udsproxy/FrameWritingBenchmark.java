package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import qtfs.linux.UnixSocket;
import qtfs.udsproxy.connector.ConnectRequest;

/** What writing frames costs, and the request that a link begins with. One buffer, used again. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class FrameWritingBenchmark {
  private final ByteBuf out = Unpooled.directBuffer(2048);
  private final Frame file = new Frame.ScmRights(0x8002, "/var/lib/libvirt/images/disk.qcow2");
  private final Frame from = new Frame.From(new Requester(4711, 0, 0, "redis-cli"));
  private final PeerRequest request =
      new PeerRequest.Uds(
          new ConnectRequest(UnixSocket.Type.STREAM, "/run/redis/redis.sock"), Dialect.EXTENDED);
  private final ByteBuf wanted = Unpooled.directBuffer(2048);

  public FrameWritingBenchmark() {
    request.encode(wanted);
  }

  /** The two headers around a message's payload in v1. */
  @Benchmark
  public int writeV1Headers() {
    out.clear();
    Frame.header(out, Frame.NORMAL, 64);
    Frame.header(out, Frame.END, 0);
    return out.writerIndex();
  }

  @Benchmark
  public int writePassedFile() {
    return write(file);
  }

  @Benchmark
  public int writeFrom() {
    return write(from);
  }

  @Benchmark
  public int writePeerRequest() {
    out.clear();
    request.encode(out);
    return out.writerIndex();
  }

  @Benchmark
  public PeerRequest readPeerRequest() throws IOException {
    wanted.readerIndex(0);
    if (PeerRequest.length(wanted) != wanted.readableBytes()) {
      throw new AssertionError(wanted);
    }
    return PeerRequest.decode(wanted);
  }

  private int write(Frame frame) {
    out.clear();
    frame.encode(out);
    return out.writerIndex();
  }
}
