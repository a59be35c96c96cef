package qtfs.engine;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Optional;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.Ioctl;
import qtfs.linux.LinuxException;
import qtfs.qtcfg.DeviceRequest;
import qtfs.qtcfg.ModuleCounters;
import qtfs.qtcfg.ModuleLists;
import qtfs.qtcfg.Role;

/**
 * The open device of the server's kernel module, and the requests by which a process serves it.
 *
 * <p>Those that return an {@code int} return the module's answer, or {@code -errno} where the call
 * did not reach it, and may be made by many threads at once; they block while the module has
 * nothing to do, or serves a request of the client in the calling thread. The memory that the
 * module is given is never freed: it writes there as long as one of its threads has not returned.
 */
final class ServerModule implements Closeable {
  /** Answer of the thread requests: a request of the client has been served. */
  static final int SERVED = 0;

  /** Answer of the thread requests: the calling thread is not needed any more. */
  static final int EXIT = 2;

  private static final int BUFFER_SIZE = 65536; // QTFS_USERP_MAXSIZE
  private static final int EPOLL_EVENTS = 64; // QTFS_MAX_EPEVENTS_NUM
  private static final int EPOLL_EVENT_SIZE = 16; // 12 on x86-64, where it is packed

  private final Fd fd;
  private final Path path;

  private ServerModule(Fd fd, Path path) {
    this.fd = fd;
    this.path = path;
  }

  static ServerModule open(Path path) throws EngineException {
    try {
      return new ServerModule(Fd.open(path, Fd.O_RDONLY), path);
    } catch (LinuxException e) {
      throw new EngineException(
          switch (e.errno()) {
            case Errno.ENOENT, Errno.ENODEV, Errno.ENXIO ->
                path + " is not there: load the kernel module qtfs_server";
            case Errno.EACCES, Errno.EPERM -> path + " cannot be opened: run this as root";
            default -> path + " cannot be opened: " + Errno.message(e.errno());
          });
    }
  }

  /**
   * Gives the module an epoll instance for the client's files.
   *
   * <pre>
   * struct qtfs_server_epoll_s, 24 bytes
   *  0          4            8                    16
   *  +----------+------------+--------------------+-------------+
   *  | i32 epfd | u32 events | epoll_event *      | kevents, 0  |
   *  +----------+------------+--------------------+-------------+
   * </pre>
   *
   * @param epoll stays the caller's, and open as long as the module serves
   */
  void useEpoll(Fd epoll) throws EngineException {
    MemorySegment argument = Arena.global().allocate(24, 8);
    argument.set(JAVA_INT, 0, epoll.number());
    argument.set(JAVA_INT, 4, EPOLL_EVENTS);
    argument.set(
        JAVA_LONG, 8, Arena.global().allocate(EPOLL_EVENTS * EPOLL_EVENT_SIZE, 8).address());
    require("EPFDSET", Ioctl.byPointer(fd, DeviceRequest.EPFDSET, argument));
  }

  /** The module's lists. */
  ModuleLists lists() {
    return new ModuleLists(fd, Role.SERVER, path);
  }

  /** What the module counts; any thread. */
  ModuleCounters counters() throws IOException {
    return ModuleCounters.read(fd, Role.SERVER, path);
  }

  /** Lets the module serve, with every whitelist empty. */
  void arm() throws EngineException {
    require("EXIT 1", Ioctl.byValue(fd, DeviceRequest.EXIT, 1));
  }

  /**
   * Lets it serve no more, and empties every whitelist.
   *
   * @return why it does neither; a module that is gone does both
   */
  Optional<String> disarm() {
    int answer = Ioctl.byValue(fd, DeviceRequest.EXIT, 0);
    return answer == 0 || isGone(answer) ? Optional.empty() : Optional.of(failed("EXIT 0", answer));
  }

  /**
   * Gives the module two buffers for each thread that will serve.
   *
   * <pre>
   * struct qtfs_thread_init_s, 16 bytes          struct qtfs_server_userp_s, 24 bytes, each
   *  0               4         8                  0          8               16
   *  +---------------+---------+----------+       +----------+---------------+---------------+
   *  | u32 threads   | pad     | userp *  |       | u64 size | userp *       | userp2 *      |
   *  +---------------+---------+----------+       +----------+---------------+---------------+
   * </pre>
   */
  void giveBuffers(int threads) throws EngineException {
    Arena forever = Arena.global();
    MemorySegment buffers = forever.allocate(24L * threads, 8);
    for (int i = 0; i < threads; i++) {
      buffers.set(JAVA_LONG, 24L * i, BUFFER_SIZE);
      for (int pointer = 8; pointer <= 16; pointer += 8) {
        // Aligned to the size, which is a page or a multiple of it on every machine.
        MemorySegment buffer = forever.allocate(BUFFER_SIZE, BUFFER_SIZE);
        buffers.set(JAVA_LONG, 24L * i + pointer, buffer.address());
      }
    }
    MemorySegment argument = forever.allocate(16, 8);
    argument.set(JAVA_INT, 0, threads);
    argument.set(JAVA_LONG, 8, buffers.address());
    int answer = Ioctl.byPointer(fd, DeviceRequest.THREAD_INIT, argument);
    if (answer == Errno.EADDRINUSE) {
      throw new EngineException(
          "the port of the kernel module is in use: stop what listens there, or load qtfs_server"
              + " with another qtfs_server_port");
    }
    require("THREAD_INIT", answer);
  }

  /** Serves one request of the client, or waits for one about a second. */
  int threadRun() {
    return Ioctl.byValue(fd, DeviceRequest.THREAD_RUN, 0);
  }

  /** Waits for a client whose epoll events are to be served; 0 once there is one. */
  int epollThreadInit() {
    return Ioctl.byValue(fd, DeviceRequest.EPOLL_THREAD_INIT, 0);
  }

  /** Serves epoll events for about 10 ms. */
  int epollThreadRun() {
    return Ioctl.byValue(fd, DeviceRequest.EPOLL_THREAD_RUN, 0);
  }

  private void require(String request, int answer) throws EngineException {
    if (answer != 0) {
      throw new EngineException(failed(request, answer));
    }
  }

  private String failed(String request, int answer) {
    return answer < 0
        ? path + ": " + request + ": " + reason(answer)
        : path
            + ": the module refuses "
            + request
            + " (answer "
            + answer
            + "): are module and programs of one version?";
  }

  /** Whether the answer means that there is no module behind the device any more. */
  static boolean isGone(int answer) {
    return switch (-answer) {
      case Errno.ENODEV, Errno.ENXIO, Errno.ENOTTY, Errno.EBADF, Errno.EIO -> true;
      default -> false;
    };
  }

  /** What a negative answer says, and what to do. */
  static String reason(int answer) {
    return Errno.message(-answer)
        + "; "
        + switch (-answer) {
          case Errno.ENOMEM -> "free memory, then start again";
          case Errno.EBUSY -> "end what else uses the kernel module, then start again";
          default ->
              isGone(answer)
                  ? "load the kernel module qtfs_server, then start again"
                  : "look at dmesg: are module and programs of one version?";
        };
  }

  @Override
  public void close() {
    fd.close();
  }
}
