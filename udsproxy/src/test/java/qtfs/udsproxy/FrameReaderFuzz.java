package qtfs.udsproxy;

import com.sun.management.ThreadMXBean;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Fuzz target: a stream of frames, in either dialect, is read the same whether it comes in one
 * piece, byte by byte or in two; what is no frame is a {@link ProtocolException}; nothing is
 * allocated for what has only been announced; and what was read can be written and read again.
 *
 * <pre>
 * 0  dialect, bit 0   1  u8, 2 u8  where the stream is split in two   3  stream
 * </pre>
 */
public final class FrameReaderFuzz {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int HEAD = 3;

  private FrameReaderFuzz() {}

  /** Called by the fuzzer, and for each kept input by {@link FuzzCorpusTest}. */
  public static void fuzzerTestOneInput(byte[] input) throws ProtocolException {
    if (input.length < HEAD) {
      return;
    }
    Dialect dialect = (input[0] & 1) == 0 ? Dialect.V1 : Dialect.EXTENDED;
    byte[] stream = Arrays.copyOfRange(input, HEAD, input.length);
    int split = (Byte.toUnsignedInt(input[1]) << 8 | Byte.toUnsignedInt(input[2])) % input.length;
    Events whole = new Events(dialect);
    whole.feed(stream, 0, stream.length);
    long allocated = allocated(dialect, stream);
    if (allocated > mostAllocated(stream)) {
      allocated = allocated(dialect, stream); // the first time loads classes
    }
    if (allocated > mostAllocated(stream)) {
      throw new AssertionError(allocated + " bytes allocated for " + whole.list);
    }
    Events slow = new Events(dialect);
    for (int i = 0; i < stream.length; i++) {
      slow.feed(stream, i, i + 1);
    }
    Events two = new Events(dialect);
    int at = Math.min(split, stream.length);
    two.feed(stream, 0, at);
    two.feed(stream, at, stream.length);
    if (!slow.list.equals(whole.list) || !two.list.equals(whole.list)) {
      throw new AssertionError(whole.list + "\n" + slow.list + "\n" + two.list);
    }
    assertCanBeWrittenAndReadAgain(dialect, whole.frames);
  }

  private static long allocated(Dialect dialect, byte[] stream) {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    new Events(dialect).feed(stream, 0, stream.length);
    return THREADS.getCurrentThreadAllocatedBytes() - before;
  }

  /** A text for each event, of which there is one in eight bytes at most. */
  private static long mostAllocated(byte[] stream) {
    return 50_000 + 400L * stream.length;
  }

  private static void assertCanBeWrittenAndReadAgain(Dialect dialect, List<Frame> frames)
      throws ProtocolException {
    for (Frame frame : frames) {
      ByteBuf out = Unpooled.buffer();
      frame.encode(out);
      FrameReader reader = new FrameReader(dialect);
      Frame again =
          switch (reader.next(out)) {
            case PASSED -> reader.passed();
            case CONTROL -> reader.control();
            case NEED_MORE, PAYLOAD, CONTENT, CONTENT_LOST, END, EMPTY ->
                throw new AssertionError(frame);
          };
      if (!again.equals(frame) || out.isReadable()) {
        throw new AssertionError(frame + " and " + again);
      }
    }
  }

  /** What a reader makes of a stream: runs of payload as how many bytes and which. */
  private static final class Events {
    private final FrameReader reader;
    private final List<String> list = new ArrayList<>();
    private final List<Frame> frames = new ArrayList<>();
    private int run;
    private int hash;
    private boolean over;

    Events(Dialect dialect) {
      reader = new FrameReader(dialect);
    }

    void feed(byte[] bytes, int from, int to) {
      if (over) {
        return;
      }
      ByteBuf in = Unpooled.wrappedBuffer(bytes, from, to - from);
      try {
        while (next(in)) {}
      } catch (ProtocolException e) {
        list.add(String.valueOf(e.getMessage()));
        over = true;
      }
    }

    private boolean next(ByteBuf in) throws ProtocolException {
      FrameReader.Event event = reader.next(in);
      switch (event) {
        case NEED_MORE -> {
          if (in.isReadable()) {
            throw new AssertionError(in + " is left");
          }
          return false;
        }
        case PASSED -> add(reader.passed());
        case CONTROL -> add(reader.control());
        case PAYLOAD, CONTENT -> take(event, in);
        case CONTENT_LOST, END, EMPTY -> list.add(event.name());
      }
      return true;
    }

    private void add(Frame frame) {
      list.add(frame.toString());
      frames.add(frame);
    }

    private void take(FrameReader.Event event, ByteBuf in) {
      int count = Math.min(reader.payloadLeft(), in.readableBytes());
      if (count <= 0 || reader.payloadLeft() > Frame.MAX_EXTENDED_PAYLOAD) {
        throw new AssertionError(reader.payloadLeft() + " of payload in " + in);
      }
      for (int i = 0; i < count; i++) {
        hash = 31 * hash + in.getByte(in.readerIndex() + i);
      }
      run += count;
      reader.takePayload(in, count);
      if (reader.payloadLeft() == 0) {
        list.add(event + " " + run + " " + hash);
        run = 0;
      }
    }
  }
}
