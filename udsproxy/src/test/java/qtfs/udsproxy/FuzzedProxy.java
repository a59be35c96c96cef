package qtfs.udsproxy;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ManualIoEventLoop;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.util.concurrent.ImmediateEventExecutor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.UnixSocket;
import qtfs.testing.OpenDescriptors;
import qtfs.whitelist.QtfsWhitelist;
import qtfs.whitelist.WhitelistException;

/**
 * The inside of a proxy for fuzz targets: real sockets and descriptors, on an event loop that turns
 * only when it is told to, so that an input always does the same. Nobody answers where its peer
 * should be. For the thread that made it.
 */
final class FuzzedProxy {
  private static final Deadlines DEADLINES =
      new Deadlines(
          Duration.ofSeconds(10),
          Duration.ofSeconds(5),
          Duration.ofSeconds(60),
          Duration.ofSeconds(1));

  /** What the peer may open. Readable for everybody, and only for reading. */
  private static final String WHITELIST =
      """
      [Open]
      Path=/etc/passwd;/dev/zero;/usr/bin
      [Read]
      Path=/etc/passwd;/dev/zero
      [Readdir]
      Path=/usr/bin
      [Udsaccept]
      """;

  /** What a session says of an exception that it has not expected. */
  private static final Pattern ERROR = Pattern.compile("^\\S+ ERROR ", Pattern.MULTILINE);

  private static final String FAILURE = "reason=\"the link failed: ";

  /** The errors of the system by which a link may fail. */
  private static final List<String> BROKEN = List.of("reset", "Broken");

  private static final int TURNS = 100;
  private static final long LIMIT = 4_000_000_000L;

  /** Exceptions that end at the event loop. */
  private final Queue<LogRecord> unexpected = new ConcurrentLinkedQueue<>();

  private final Logger netty = Logger.getLogger("io.netty");

  /** Counts what it has given. */
  private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true, true);

  private final ManualIoEventLoop eventLoop =
      new ManualIoEventLoop(Thread.currentThread(), EpollIoHandler.newFactory());
  private final ProxyLoop loop = new ProxyLoop(eventLoop, ByteBufAllocator.DEFAULT);
  private final Path directory;
  private final Shared shared;

  FuzzedProxy() {
    netty.addHandler(new Unexpected(unexpected));
    try {
      directory = Files.createTempDirectory("fuzz");
      Path file = directory.resolve("whitelist");
      Files.writeString(file, WHITELIST + "Path=" + directory);
      Reach reach = new Reach(QtfsWhitelist.load(file), file, "/none", false, false);
      Files.delete(file);
      directory.toFile().deleteOnExit();
      shared =
          new Shared(
              List.of(loop),
              new Endpoint.Tcp(new InetSocketAddress(InetAddress.getLoopbackAddress(), 1)),
              reach,
              DEADLINES,
              Limits.DEFAULT,
              Dialect.EXTENDED,
              ImmediateEventExecutor.INSTANCE,
              null);
    } catch (IOException | WhitelistException e) {
      throw new IllegalStateException(e);
    }
  }

  Shared shared() {
    return shared;
  }

  ProxyLoop loop() {
    return loop;
  }

  /** Where sockets can be made that the peer may be connected to. */
  Path directory() {
    return directory;
  }

  /** A link to the peer, who has the other end of a pair; on the loop, and not read yet. */
  Channel link(Fd socket) throws LinuxException {
    Fcntl.statusFlags(socket, Fcntl.statusFlags(socket) | Fd.O_NONBLOCK);
    Channel channel = new EpollDomainSocketChannel(socket.release());
    for (Transport.SocketOption<?> option :
        Transport.of(shared.peer()).options(shared.limits(), shared.backlog())) {
      option.applyTo(channel);
    }
    channel.config().setAllocator(allocator);
    channel.unsafe().register(eventLoop, channel.newPromise());
    return channel;
  }

  /**
   * Starts a session, taking both sockets over.
   *
   * @param name what its log lines call it
   * @param toPeer one end of a pair, of which the peer has the other
   * @param toApplication one end of a pair of the type, of which the application has the other
   */
  void startSession(String name, Dialect dialect, UnixSocket.Type type, Fd toPeer, Fd toApplication)
      throws Exception {
    Channel tcp = link(toPeer);
    Fcntl.statusFlags(toApplication, Fcntl.statusFlags(toApplication) | Fd.O_NONBLOCK);
    SessionEntry entry =
        new SessionEntry(
            shared.statistics(),
            SessionInfo.Direction.INCOMING,
            name,
            null,
            tcp,
            dialect,
            shared.places().take(SessionInfo.Direction.INCOMING));
    Link link = new Link(tcp, dialect, List.of(), false);
    Session.start(shared, loop, entry, link, toApplication, type);
    settle();
  }

  /** Lets the loop do all that there is to do now. */
  void settle() {
    for (int i = 0; i < TURNS && eventLoop.runNow() > 0; i++) {}
  }

  /** Keeps what Netty complains of. */
  private static final class Unexpected extends Handler {
    private final Queue<LogRecord> kept;

    Unexpected(Queue<LogRecord> kept) {
      this.kept = kept;
    }

    @Override
    public void publish(LogRecord complaint) {
      if (complaint.getLevel().intValue() >= Level.WARNING.intValue()) {
        kept.add(complaint);
      }
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }

  /** One input, from before its first step to after everything has ended. */
  final class Run implements AutoCloseable {
    private final OpenDescriptors before = OpenDescriptors.now();
    private final long buffers = sharedBuffers();
    private final ByteArrayOutputStream log = new ByteArrayOutputStream();
    private final PrintStream stderr = System.err;

    Run() {
      unexpected.clear();
      System.setErr(new PrintStream(log, false, StandardCharsets.UTF_8));
    }

    /** What has been logged. */
    String log() {
      return log.toString(StandardCharsets.UTF_8);
    }

    /** Requires that everything has ended and nothing is left, within some seconds. */
    @Override
    public void close() {
      System.setErr(stderr);
      long end = System.nanoTime() + LIMIT;
      shared.passedPipes().close();
      shared.passedSockets().close();
      settle();
      String left = left();
      while (!left.isEmpty()) {
        if (System.nanoTime() > end) {
          throw new AssertionError(left + "\n" + log());
        }
        eventLoop.run(1_000_000);
        left = left();
      }
      String text = log();
      if (hasControl(text) || hasFailed(text)) {
        throw new AssertionError("log: " + text);
      }
      LogRecord swallowed = unexpected.poll();
      if (swallowed != null) {
        throw new AssertionError(swallowed.getMessage(), swallowed.getThrown());
      }
    }

    /** A plain loop: this is asked of every line of every input. */
    private static boolean hasControl(String text) {
      for (int i = 0; i < text.length(); i++) {
        if (text.charAt(i) < ' ' && text.charAt(i) != '\n') {
          return true;
        }
      }
      return false;
    }

    /** By an exception of its own, or the link by something else than an error of the system. */
    private static boolean hasFailed(String text) {
      int failure = text.indexOf(FAILURE);
      while (failure >= 0) {
        int end = text.indexOf('\n', failure);
        String reason = text.substring(failure, end < 0 ? text.length() : end);
        if (BROKEN.stream().noneMatch(reason::contains)) {
          return true;
        }
        failure = text.indexOf(FAILURE, failure + 1);
      }
      return text.contains(" ERROR ") && ERROR.matcher(text).find();
    }

    private String left() {
      if (shared.workLeft() > 0 || shared.places().taken() > 0) {
        return shared.workLeft() + " of work, " + shared.places().taken() + " places";
      }
      if (allocator.metric().usedDirectMemory() + allocator.metric().usedHeapMemory() > 0) {
        return "buffers of the link: " + allocator.metric();
      }
      if (shared.backlog().held() != 0) {
        return shared.backlog().held() + " bytes of the backlog";
      }
      if (sharedBuffers() != buffers) {
        return "buffers: " + sharedBuffers() + ", before " + buffers;
      }
      Set<Integer> more = before.more();
      return more.isEmpty() ? "" : "descriptors " + more;
    }
  }

  /** Used by what does not know of the link; 0 where that is not counted exactly. */
  private static long sharedBuffers() {
    return ByteBufAllocator.DEFAULT instanceof UnpooledByteBufAllocator counting
        ? counting.metric().usedDirectMemory()
        : 0;
  }
}
