package qtfs.udsproxy.connector;

import static qtfs.udsproxy.connector.RemoteConnectException.Step.ANSWER;
import static qtfs.udsproxy.connector.RemoteConnectException.Step.DAEMON;
import static qtfs.udsproxy.connector.RemoteConnectException.Step.LOCAL;
import static qtfs.udsproxy.connector.RemoteConnectException.Step.PROXY;
import static qtfs.udsproxy.connector.RemoteConnectException.Step.REFUSED;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.newsclub.net.unix.AFUNIXSocketChannel;
import qtfs.linux.Errno;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.Poll;
import qtfs.linux.UnixSocket;

/**
 * Connects to the unix socket at a path, on this host if somebody listens there, else through
 * udsproxyd on the other.
 *
 * <p>Safe from any platform thread. A virtual thread is refused: a connect blocks its carrier, and
 * the kernel module decides by the name of the thread whether it steps in, which for a virtual
 * thread is the name of whatever carries it at the moment. Each step is given up after 10 seconds.
 */
public final class RemoteConnector {
  /** Where udsproxyd keeps its sockets, unless told otherwise. */
  public static final String DEFAULT_RUN_DIR = "/var/run/qtfs";

  /** The name of the socket in the run directory at which udsproxyd takes requests. */
  public static final String REQUEST_SOCKET = "remote_uds.sock";

  private static final Duration STEP_LIMIT = Duration.ofSeconds(10);
  private static final int ANSWER_LENGTH = 4;
  private static final int READY = 1;
  private static final int READY_EXTENDED = 2;

  /** What the threads that listen for applications are called. */
  private static final Set<String> PROXIES = Set.of("udsproxyd", "engine");

  private static final int MAX_ERRNO = 4095; // linux/err.h

  private final String requestSocket;
  private final boolean remoteOnly;
  private final Duration limit;

  /**
   * Describes where to ask.
   *
   * @param runDir udsproxyd's
   * @param remoteOnly whether to leave out the attempt on this host: for two daemons on one machine
   */
  public RemoteConnector(String runDir, boolean remoteOnly) {
    this(runDir, remoteOnly, STEP_LIMIT);
  }

  RemoteConnector(String runDir, boolean remoteOnly, Duration limit) {
    this.requestSocket = runDir + "/" + REQUEST_SOCKET;
    this.remoteOnly = remoteOnly;
    this.limit = limit;
  }

  /** As {@code QTFS_RUN_DIR} and {@code QTFS_CONNECT=auto|remote} say. */
  public static RemoteConnector fromEnvironment() {
    return of(System.getenv());
  }

  /** As {@link #fromEnvironment}, in the environment of somebody else. */
  public static RemoteConnector of(Map<String, String> environment) {
    String runDir = environment.get("QTFS_RUN_DIR");
    boolean remoteOnly = "remote".equals(environment.get("QTFS_CONNECT"));
    return new RemoteConnector(
        runDir == null || runDir.isEmpty() ? DEFAULT_RUN_DIR : runDir, remoteOnly);
  }

  /**
   * Connects.
   *
   * @param path absolute; for a socket of the other host at most {@value
   *     ConnectRequest#MAX_PATH_BYTES} bytes
   * @return a blocking, close-on-exec stream socket, owned by the caller
   * @throws RemoteConnectException saying which step failed
   * @throws InvalidRequestException for a path that no request can carry
   */
  public Fd connect(String path) throws IOException {
    return connect(UnixSocket.Type.STREAM, path);
  }

  /** Connects a socket of any type as {@link #connect(String)} does. */
  public Fd connect(UnixSocket.Type type, String path) throws IOException {
    return connection(type, path).socket();
  }

  /**
   * A connection.
   *
   * @param socket owned by whoever has this
   * @param keepsPipes whether any pipe may be passed over it, with bytes in it already or at its
   *     end: not where a deployed daemon may be on the way, which can die of such a pipe, or wait
   *     for its reader and serve nobody meanwhile
   */
  public record Connection(Fd socket, boolean keepsPipes) {}

  /** Connects as {@link #connect(UnixSocket.Type, String)} does, and tells what is on the way. */
  public Connection connection(UnixSocket.Type type, String path) throws IOException {
    requirePlatformThread();
    int errno = Errno.ENOENT;
    if (!remoteOnly) {
      Attempt local = attempt(type, path);
      if (local.socket != null) {
        return new Connection(local.socket, !isProxy(local.socket));
      }
      errno = local.errno;
      if (!mayBeRemote(errno)) {
        throw new RemoteConnectException(
            LOCAL, errno, "cannot connect to " + path + ": " + Errno.message(errno));
      }
    }
    return connectRemote(type, path, errno);
  }

  /**
   * Connects as {@link #connect} does, for programs that use java.nio and junixsocket: descriptors
   * can be passed over the channel. Blocking until configured otherwise.
   */
  public AFUNIXSocketChannel connectChannel(Path path) throws IOException {
    requirePlatformThread();
    return Channels.connect(this, path, remoteOnly);
  }

  /**
   * Whether a failed connect on this host leaves room for the other: as the kernel hook sees it.
   */
  static boolean mayBeRemote(int errno) {
    return errno == Errno.ENOENT || errno == Errno.ECONNREFUSED;
  }

  /** Whether the kernel module has led a connect to the daemon: whose kind it does not tell. */
  private static boolean isProxy(Fd socket) throws LinuxException {
    try {
      Path comm = Path.of("/proc/" + UnixSocket.peerCredentials(socket).pid() + "/comm");
      return PROXIES.contains(Files.readString(comm).strip());
    } catch (LinuxException e) {
      throw e;
    } catch (IOException gone) {
      return true;
    }
  }

  private Connection connectRemote(UnixSocket.Type type, String path, int localErrno)
      throws IOException {
    int answer = ask(type, path, localErrno);
    String proxy = path + ConnectRequest.PROXY_SUFFIX;
    Attempt attempt = attempt(type, proxy);
    if (attempt.socket == null) {
      throw new RemoteConnectException(
          PROXY,
          attempt.errno,
          "cannot connect to "
              + proxy
              + ", which udsproxyd had announced: "
              + Errno.message(attempt.errno));
    }
    return new Connection(attempt.socket, answer == READY_EXTENDED);
  }

  /**
   * Has udsproxyd connect to a path on the other host.
   *
   * @param localErrno why the socket of this host did not do
   * @return the socket on this host that stands in for it, to be connected to within five seconds
   */
  String requestProxy(UnixSocket.Type type, String path, int localErrno) throws IOException {
    int ignored = ask(type, path, localErrno);
    return path + ConnectRequest.PROXY_SUFFIX;
  }

  /** The daemon's answer, a good one. */
  private int ask(UnixSocket.Type type, String path, int localErrno) throws IOException {
    byte[] request = ConnectRequest.of(type, path).encode(Mark.CONNECTOR);
    Attempt daemon = attempt(UnixSocket.Type.STREAM, requestSocket);
    if (daemon.socket == null) {
      throw noDaemon(path, localErrno, daemon.errno);
    }
    try (Fd socket = daemon.socket;
        Arena arena = Arena.ofConfined()) {
      send(socket, arena.allocateFrom(ValueLayout.JAVA_BYTE, request));
      int answer = receive(socket, arena.allocate(ANSWER_LENGTH, ANSWER_LENGTH));
      if (answer != READY && answer != READY_EXTENDED) {
        throw refused(path, answer);
      }
      return answer;
    }
  }

  /** A refusal, with the errno of the connect on the other host if the answer tells it. */
  private static RemoteConnectException refused(String path, int answer) {
    String what = "the other host gives no connection to " + path;
    if (answer < 0 && answer >= -MAX_ERRNO) {
      return new RemoteConnectException(
          REFUSED, -answer, what + ": " + Errno.message(-answer) + " (its udsproxyd's log tells)");
    }
    return new RemoteConnectException(
        REFUSED,
        Errno.ECONNREFUSED,
        what
            + " (nobody listens there, its udsproxyd does not run, or its whitelist does not"
            + " name the socket; both daemons' logs tell)");
  }

  private RemoteConnectException noDaemon(String path, int localErrno, int daemonErrno) {
    return new RemoteConnectException(
        DAEMON,
        localErrno,
        "cannot connect to "
            + path
            + ": "
            + (remoteOnly ? "" : Errno.message(localErrno) + " on this host, and ")
            + "no udsproxyd to ask for the other ("
            + requestSocket
            + ": "
            + Errno.message(daemonErrno)
            + "); start udsproxyd, or the server on this host");
  }

  private void send(Fd socket, MemorySegment request) throws RemoteConnectException {
    // One piece: the C daemon reads a request with one blocking call.
    long sent = socket.write(request, request.byteSize());
    if (sent != request.byteSize()) {
      throw noAnswer(sent < 0 ? Errno.message((int) -sent) : "took only a part of the request");
    }
  }

  private int receive(Fd socket, MemorySegment answer) throws RemoteConnectException {
    long deadline = System.nanoTime() + limit.toNanos();
    long length = 0;
    while (length < ANSWER_LENGTH) {
      long left = Math.max(0, deadline - System.nanoTime());
      if (Poll.readable(Duration.ofNanos(left), socket)[0] == 0) {
        throw noAnswer("no answer in " + limit.toSeconds() + " s");
      }
      long n = socket.read(answer.asSlice(length), ANSWER_LENGTH - length);
      if (n == 0) {
        throw noAnswer("hung up");
      } else if (n > 0) {
        length += n;
      } else if (n != -Errno.EINTR) {
        throw noAnswer(Errno.message((int) -n));
      }
    }
    return answer.get(ValueLayout.JAVA_INT, 0);
  }

  private RemoteConnectException noAnswer(String what) {
    return new RemoteConnectException(
        ANSWER, Errno.ECONNREFUSED, "udsproxyd at " + requestSocket + ": " + what);
  }

  /** One try at one path: a connected socket, owned by the holder, or the errno. */
  private record Attempt(@Nullable Fd socket, int errno) {}

  /**
   * Connects to a listener of this host. Without blocking, because a connect to a listener with a
   * full backlog would wait for ever; it is tried again until the limit.
   */
  private Attempt attempt(UnixSocket.Type type, String path) throws LinuxException {
    Fd socket = UnixSocket.open(type, false);
    long deadline = System.nanoTime() + limit.toNanos();
    int result;
    while ((result = UnixSocket.connect(socket, path)) == -Errno.EAGAIN
        && System.nanoTime() < deadline) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
    }
    if (result < 0) {
      socket.close();
      return new Attempt(null, -result);
    }
    try {
      Fcntl.statusFlags(socket, Fd.O_RDWR);
      return new Attempt(socket, 0);
    } catch (LinuxException e) {
      socket.close();
      throw e;
    }
  }

  private static void requirePlatformThread() {
    if (Thread.currentThread().isVirtual()) {
      throw new IllegalStateException("a virtual thread cannot connect: use a platform thread");
    }
  }
}
