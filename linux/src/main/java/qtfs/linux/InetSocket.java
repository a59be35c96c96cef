package qtfs.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static qtfs.linux.LinuxException.check;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** TCP sockets as descriptors, for the programs that wait for them with {@link Poll}. */
public final class InetSocket {
  private static final MemorySegment SOCKET = Libc.function("socket");
  private static final MemorySegment BIND = Libc.function("bind");
  private static final MemorySegment LISTEN = Libc.function("listen");
  private static final MemorySegment SETSOCKOPT = Libc.function("setsockopt");
  private static final int SOCK_STREAM_NONBLOCK_CLOEXEC = 1 | 0x800 | 0x80000;
  private static final int SOL_SOCKET = 1;
  private static final int SO_REUSEADDR = 2;
  private static final int SOCKADDR_IN_LENGTH = 16;
  private static final int SOCKADDR_IN6_LENGTH = 28;

  private InetSocket() {}

  /**
   * A socket that listens at an address, close-on-exec, without blocking on accept; {@link
   * UnixSocket#accept} takes its connections.
   *
   * @throws IOException with the address, if it cannot be had
   */
  public static Fd listen(InetSocketAddress address, int backlog) throws IOException {
    boolean six = address.getAddress() instanceof Inet6Address;
    int family = (six ? SocketFamily.INET6 : SocketFamily.INET).number();
    String what = "cannot listen at " + text(address);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = sockaddr(arena, family, address);
      Fd socket = Fd.own(check(Libc.call(SOCKET, family, SOCK_STREAM_NONBLOCK_CLOEXEC, 0), what));
      try {
        reuse(arena, socket);
        check(Libc.call(BIND, socket.number(), name.address(), name.byteSize()), what);
        check(Libc.call(LISTEN, socket.number(), backlog), what);
        return socket;
      } catch (LinuxException e) {
        socket.close();
        throw e;
      }
    }
  }

  /** Also while connections of a server before this one are in TIME_WAIT. */
  private static void reuse(Arena arena, Fd socket) throws LinuxException {
    MemorySegment on = arena.allocate(4, 4);
    on.set(JAVA_INT, 0, 1);
    check(
        Libc.call(SETSOCKOPT, socket.number(), SOL_SOCKET, SO_REUSEADDR, on.address(), 4, 0),
        "setsockopt SO_REUSEADDR");
  }

  /**
   * <pre>
   * sockaddr_in     0 family  2 port, big-endian  4 address (4)  8 zeros (8)
   * sockaddr_in6    0 family  2 port, big-endian  4 flow (4)     8 address (16)  24 scope (4)
   * </pre>
   */
  private static MemorySegment sockaddr(Arena arena, int family, InetSocketAddress address) {
    InetAddress host = address.getAddress();
    boolean six = host instanceof Inet6Address;
    MemorySegment name = arena.allocate(six ? SOCKADDR_IN6_LENGTH : SOCKADDR_IN_LENGTH, 4);
    name.set(JAVA_SHORT, 0, (short) family);
    name.set(JAVA_BYTE, 2, (byte) (address.getPort() >> 8));
    name.set(JAVA_BYTE, 3, (byte) address.getPort());
    byte[] bytes = host.getAddress();
    MemorySegment.copy(bytes, 0, name, JAVA_BYTE, six ? 8 : 4, bytes.length);
    if (host instanceof Inet6Address scoped) {
      name.set(JAVA_INT, 24, scoped.getScopeId());
    }
    return name;
  }

  private static String text(InetSocketAddress address) {
    String host = address.getAddress().getHostAddress();
    return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + address.getPort();
  }
}
