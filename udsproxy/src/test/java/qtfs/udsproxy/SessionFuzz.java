package qtfs.udsproxy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import qtfs.linux.Fd;
import qtfs.linux.Memfd;
import qtfs.linux.MessageIo;
import qtfs.linux.Pipe;
import qtfs.linux.UnixSocket;

/**
 * Fuzz target: a session, whose peer sends anything and whose application reads, writes, passes
 * descriptors and ends when it likes, does not fail otherwise than by its own words, ends when both
 * are gone, and leaves no descriptor and no buffer.
 *
 * <pre>
 * 0  u8   dialect, bit 0; type, the rest
 * 1  u8   a step; its upper five bits are the argument a
 *           0..2  the peer sends: u8 length, then so many bytes
 *           3     the application reads what there is
 *           4     the application writes a + 1 times 100 bytes
 *           5     the application passes the descriptor a and 8 bytes
 *           6     the application ends its stream, a even, or is gone
 *           7     the peer ends its stream, a even, or is gone
 * ...     more steps
 * </pre>
 */
public final class SessionFuzz {
  private static final ThreadLocal<Tools> TOOLS = ThreadLocal.withInitial(Tools::new);
  private static final int SPACE = 1 << 17;
  private static final int MOST_SENT = (31 + 1) * 100;

  private final byte[] input;
  private final FuzzedProxy proxy;
  private final Dialect dialect;
  private final UnixSocket.Type type;
  private final MessageIo io;
  private final MemorySegment space;
  private final UnixSocket.Pair link;
  private final UnixSocket.Pair application;
  private int at = 1;

  /** What a thread makes once for all its inputs. */
  private static final class Tools {
    private final FuzzedProxy proxy = new FuzzedProxy();
    private final MessageIo io = MessageIo.ofThisThreadNeverWaiting();
    private final MemorySegment space = Arena.ofAuto().allocate(SPACE);
  }

  private SessionFuzz(byte[] input, Tools tools) throws IOException {
    this.input = input;
    this.proxy = tools.proxy;
    this.io = tools.io;
    this.space = tools.space;
    space.asSlice(0, MOST_SENT).fill((byte) 0);
    this.dialect = (input[0] & 1) == 0 ? Dialect.V1 : Dialect.EXTENDED;
    UnixSocket.Type[] types = UnixSocket.Type.values();
    this.type = types[(Byte.toUnsignedInt(input[0]) >> 1) % types.length];
    this.link = UnixSocket.pair();
    this.application = UnixSocket.pair(type);
  }

  /** Called by the fuzzer, and for each kept input by {@link FuzzCorpusTest}. */
  public static void fuzzerTestOneInput(byte[] input) throws Exception {
    if (input.length == 0) {
      return;
    }
    Tools tools = TOOLS.get();
    try (FuzzedProxy.Run _ = tools.proxy.new Run()) {
      SessionFuzz session = new SessionFuzz(input, tools);
      try {
        session.start();
        session.goThrough();
      } finally {
        session.end();
      }
    }
  }

  private void start() throws Exception {
    proxy.startSession("/fuzz", dialect, type, link.first(), application.first());
  }

  private void goThrough() throws IOException {
    while (at < input.length) {
      int step = next();
      step(step & 7, step >> 3);
      proxy.settle();
    }
  }

  private int next() {
    return at < input.length ? Byte.toUnsignedInt(input[at++]) : 0;
  }

  private void step(int step, int argument) throws IOException {
    switch (step) {
      case 0, 1, 2 -> peerSends(next());
      case 3 -> applicationReads();
      case 4 -> send(application.second(), (argument + 1) * 100, List.of());
      case 5 -> applicationPasses(argument);
      case 6 -> end(application.second(), argument);
      default -> end(link.second(), argument);
    }
  }

  private void peerSends(int wanted) {
    int length = Math.min(wanted, input.length - at);
    MemorySegment.copy(input, at, space, ValueLayout.JAVA_BYTE, 0, length);
    at += length;
    send(link.second(), length, List.of());
    drain(link.second());
  }

  private void applicationReads() {
    drain(application.second());
  }

  /** Sends from the beginning of the space, as far as there is room. */
  private void send(Fd socket, int length, List<Fd> fds) {
    if (length > 0 && socket.isOpen()) {
      io.piece(0, space.address(), length);
      long ignored = io.send(socket, 1, fds);
    }
  }

  private void drain(Fd socket) {
    long received = socket.isOpen() ? 1 : -1;
    while (received > 0) {
      io.piece(0, space.address(), SPACE);
      received = io.receive(socket, 1);
      Fd.closeAll(io.takeFds());
    }
  }

  private void applicationPasses(int which) throws IOException {
    List<Fd> fds = passed(which);
    send(application.second(), 8, fds);
    Fd.closeAll(fds);
  }

  private static List<Fd> passed(int which) throws IOException {
    return switch (which % 8) {
      case 0 -> List.of(Fd.open(Path.of("/etc/passwd"), Fd.O_RDONLY));
      case 1 -> List.of(Fd.open(Path.of("/dev/null"), Fd.O_RDWR));
      case 2 -> List.of(Fd.open(Path.of("/usr/bin"), Fd.O_RDONLY));
      case 3 -> pair(Pipe.open());
      case 4 -> pair(UnixSocket.pair());
      case 5 -> List.of(memfd());
      case 6 -> pair(UnixSocket.pair(UnixSocket.Type.DGRAM));
      default -> List.of(Fd.open(Path.of("/etc/passwd"), Fd.O_PATH));
    };
  }

  private static List<Fd> pair(Pipe pipe) {
    return List.of(pipe.read(), pipe.write());
  }

  private static List<Fd> pair(UnixSocket.Pair pair) {
    return List.of(pair.first(), pair.second());
  }

  private static Fd memfd() throws IOException {
    Fd file = Memfd.create("fuzz");
    try (Arena arena = Arena.ofConfined()) {
      long ignored = file.write(arena.allocateFrom("some content"), 12);
      file.position(0);
    }
    return file;
  }

  private static void end(Fd socket, int argument) {
    if (!socket.isOpen()) {
      return;
    }
    if (argument % 2 == 0) {
      UnixSocket.shutdownWrite(socket);
    } else {
      socket.close();
    }
  }

  private void end() {
    drain(link.second());
    link.second().close();
    proxy.settle();
    drain(application.second());
    application.second().close();
    proxy.settle();
  }
}
