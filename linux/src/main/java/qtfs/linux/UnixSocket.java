package qtfs.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static qtfs.linux.LinuxException.check;

import java.io.Closeable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/** Unix-domain sockets as descriptors, where a descriptor is passed or watched. */
public final class UnixSocket {
  /** Bytes of {@code sun_path}, its final NUL included: sockaddr_un. */
  public static final int SUN_PATH_LENGTH = 108;

  private static final MemorySegment SOCKET = Libc.function("socket");
  private static final MemorySegment SOCKETPAIR = Libc.function("socketpair");
  private static final MemorySegment CONNECT = Libc.function("connect");
  private static final MemorySegment FCHMOD = Libc.function("fchmod");
  private static final MemorySegment BIND = Libc.function("bind");
  private static final MemorySegment LISTEN = Libc.function("listen");
  private static final MemorySegment ACCEPT4 = Libc.function("accept4");
  private static final MemorySegment SHUTDOWN = Libc.function("shutdown");
  private static final MemorySegment GETSOCKNAME = Libc.function("getsockname");
  private static final MemorySegment GETPEERNAME = Libc.function("getpeername");
  private static final MemorySegment GETSOCKOPT = Libc.function("getsockopt");
  private static final MemorySegment SETSOCKOPT = Libc.function("setsockopt");
  static final int AF_UNIX = 1;
  private static final int SOCK_NONBLOCK = 0x800;
  private static final int SOCK_CLOEXEC = 0x80000;
  private static final int SOL_SOCKET = 1;
  private static final int SO_ERROR = 4;
  private static final int SO_SNDBUF = 7;
  private static final int SO_PEERCRED = 17;
  private static final int SO_TIMESTAMP = 29; // SO_TIMESTAMP_OLD, asm-generic/socket.h
  private static final int SHUT_WR = 1;
  private static final int OWNER_ONLY = 0600;

  private UnixSocket() {}

  /** The type of a socket, with the kernel's number, linux/net.h. */
  public enum Type {
    STREAM(1),
    DGRAM(2),
    SEQPACKET(5);

    private final int number;

    Type(int number) {
      this.number = number;
    }

    public int number() {
      return number;
    }
  }

  /**
   * Who is at the other end of a connected socket, as of its connect.
   *
   * @param pid 0 where the process is in another pid namespace
   */
  public record Credentials(int pid, int uid, int gid) {}

  /** Two connected sockets, owned by the holder. */
  public record Pair(Fd first, Fd second) implements Closeable {
    @Override
    public void close() {
      first.close();
      second.close();
    }
  }

  /** A new socket, close-on-exec. */
  public static Fd open(Type type, boolean blocking) throws LinuxException {
    int flags = type.number | SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK);
    return Fd.own(check(Libc.call(SOCKET, AF_UNIX, flags, 0), "socket"));
  }

  /** Two blocking stream sockets connected to each other. */
  public static Pair pair() throws LinuxException {
    return pair(Type.STREAM);
  }

  /** Two blocking sockets connected to each other. */
  public static Pair pair(Type type) throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment fds = arena.allocate(8, 4);
      int flags = type.number | SOCK_CLOEXEC;
      check(Libc.call(SOCKETPAIR, AF_UNIX, flags, 0, fds.address()), "socketpair");
      return new Pair(Fd.own(fds.get(JAVA_INT, 0)), Fd.own(fds.get(JAVA_INT, 4)));
    }
  }

  /**
   * Connects a socket to a path.
   *
   * @param path at most 107 bytes
   * @return 0, or {@code -errno}: a socket that does not block answers {@code -EAGAIN} where the
   *     listener's backlog is full, and may try again
   */
  public static int connect(Fd socket, String path) {
    return addressed(CONNECT, socket, path + '\0');
  }

  /**
   * Connects a socket to a name of the abstract namespace; otherwise like {@link #connect}.
   *
   * @param name without the NUL that it begins with on the wire
   */
  static int connectAbstract(Fd socket, String name) {
    return addressed(CONNECT, socket, '\0' + name);
  }

  /** Binds a socket to a name of the abstract namespace; 0, or {@code -errno}. */
  static int bindAbstract(Fd socket, String name) {
    return addressed(BIND, socket, '\0' + name);
  }

  /**
   * Binds a socket to a path, as a file that only its owner may connect to.
   *
   * @return 0, or {@code -errno}
   */
  static int bindOwnerOnly(Fd socket, String path) {
    // The kernel makes the file with the mode of the socket, less the umask: never a moment in
    // which it is open to others, and no path to be changed afterwards.
    int result = Libc.call(FCHMOD, socket.number(), OWNER_ONLY);
    return result < 0 ? result : addressed(BIND, socket, path + '\0');
  }

  /** Lets a bound socket take connections; 0, or {@code -errno}. */
  static int listen(Fd socket, int backlog) {
    return Libc.call(LISTEN, socket.number(), backlog);
  }

  /** Calls connect or bind, with a {@code struct sockaddr_un} of exactly the name's length. */
  private static int addressed(MemorySegment function, Fd socket, String sunPath) {
    byte[] name = sunPath.getBytes(StandardCharsets.UTF_8);
    if (name.length > SUN_PATH_LENGTH) {
      return -Errno.ENAMETOOLONG;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(2 + SUN_PATH_LENGTH, 2);
      address.set(JAVA_SHORT, 0, (short) AF_UNIX);
      MemorySegment.copy(name, 0, address, JAVA_BYTE, 2, name.length);
      return Libc.call(function, socket.number(), address.address(), 2L + name.length);
    }
  }

  /** What a socket is bound to: a path, {@code @} and an abstract name, or nothing. */
  static String boundName(Fd socket) throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(2 + SUN_PATH_LENGTH, 2);
      MemorySegment length = arena.allocate(4, 4);
      length.set(JAVA_INT, 0, 2 + SUN_PATH_LENGTH);
      check(
          Libc.call(GETSOCKNAME, socket.number(), address.address(), length.address()),
          "getsockname " + socket);
      int bytes = Math.min(length.get(JAVA_INT, 0) - 2, SUN_PATH_LENGTH);
      byte[] name = address.asSlice(2, bytes).toArray(JAVA_BYTE);
      String text = new String(name, StandardCharsets.UTF_8);
      // A path may be followed by its NUL, and an abstract name begins with one.
      return (text.startsWith("\0") ? "@" : "") + text.replace("\0", "");
    }
  }

  /** Whether a socket has another end, or had one that is closed by now. */
  public static boolean isConnected(Fd socket) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(2 + SUN_PATH_LENGTH, 2);
      MemorySegment length = arena.allocate(4, 4);
      length.set(JAVA_INT, 0, 2 + SUN_PATH_LENGTH);
      return Libc.call(GETPEERNAME, socket.number(), address.address(), length.address()) == 0;
    }
  }

  /**
   * Gives a socket a name that nobody else has, so that who receives from it can answer; 0, or
   * {@code -errno}.
   */
  public static int bindSomewhere(Fd socket) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment family = arena.allocate(2, 2);
      family.set(JAVA_SHORT, 0, (short) AF_UNIX);
      return Libc.call(BIND, socket.number(), family.address(), 2);
    }
  }

  /**
   * Has each message come with its time, which nobody needs, but an end comes without: so {@link
   * MessageIo#wasMessage} tells an empty message from the end.
   */
  public static void stampMessages(Fd socket) {
    setOption(socket, SO_TIMESTAMP, 1);
  }

  /** Limits what may be under way from a socket, in bytes; the kernel has a least of its own. */
  public static void sendBuffer(Fd socket, int size) {
    setOption(socket, SO_SNDBUF, size);
  }

  private static void setOption(Fd socket, int name, int value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment number = arena.allocate(4, 4);
      number.set(JAVA_INT, 0, value);
      int ignored =
          Libc.call(SETSOCKOPT, socket.number(), SOL_SOCKET, name, number.address(), 4, 0);
    }
  }

  /** Connects a new blocking stream socket to a path. */
  public static Fd connect(String path) throws LinuxException {
    return connect(Type.STREAM, path);
  }

  /** Connects a new blocking socket to a path. */
  public static Fd connect(Type type, String path) throws LinuxException {
    Fd socket = open(type, true);
    int result = connect(socket, path);
    if (result < 0) {
      socket.close();
      throw new LinuxException("connect " + path, -result);
    }
    return socket;
  }

  /**
   * Accepts a connection of a listening socket.
   *
   * @param listener its number
   * @return the number of a new close-on-exec descriptor that the caller owns, or {@code -errno}
   */
  public static int accept(int listener, boolean blocking) {
    return Libc.call(ACCEPT4, listener, 0, 0, SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK));
  }

  /** Tells the other end that no more bytes come; a socket that is gone already does not mind. */
  public static void shutdownWrite(Fd socket) {
    int ignored = Libc.call(SHUTDOWN, socket.number(), SHUT_WR);
  }

  /** The pending error of a socket, cleared by the asking; 0 for none. */
  public static int takeError(Fd socket) throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      return option(arena, socket, SO_ERROR, 4).get(JAVA_INT, 0);
    }
  }

  /** Who connected. */
  public static Credentials peerCredentials(Fd socket) throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ucred = option(arena, socket, SO_PEERCRED, 12);
      return new Credentials(
          ucred.get(JAVA_INT, 0), ucred.get(JAVA_INT, 4), ucred.get(JAVA_INT, 8));
    }
  }

  private static MemorySegment option(Arena arena, Fd socket, int name, int size)
      throws LinuxException {
    MemorySegment value = arena.allocate(size, 8);
    MemorySegment length = arena.allocate(4, 4);
    length.set(JAVA_INT, 0, size);
    check(
        Libc.call(
            GETSOCKOPT, socket.number(), SOL_SOCKET, name, value.address(), length.address(), 0),
        "getsockopt " + socket);
    return value;
  }
}
