package qtfs.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static qtfs.linux.LinuxException.check;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * What getsockopt(2) tells of a socket that somebody else has made.
 *
 * @param family number of an address family, {@code AF_...}
 * @param type number of a socket type, {@code SOCK_...}
 * @param listening whether it takes connections
 */
public record SocketStatus(int family, int type, boolean listening) {
  private static final MemorySegment GETSOCKOPT = Libc.function("getsockopt");
  // asm-generic/socket.h
  private static final int SOL_SOCKET = 1;
  private static final int SO_TYPE = 3;
  private static final int SO_ACCEPTCONN = 30;
  private static final int SO_DOMAIN = 39;

  /**
   * Of a descriptor.
   *
   * @throws LinuxException with ENOTSOCK if it is no socket, EBADF if there is none
   */
  public static SocketStatus of(int number) throws LinuxException {
    return new SocketStatus(
        option(number, SO_DOMAIN), option(number, SO_TYPE), option(number, SO_ACCEPTCONN) != 0);
  }

  private static int option(int number, int name) throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(4, 4);
      MemorySegment length = arena.allocate(4, 4);
      length.set(JAVA_INT, 0, 4);
      check(
          Libc.call(GETSOCKOPT, number, SOL_SOCKET, name, value.address(), length.address(), 0),
          "getsockopt fd " + number);
      return value.get(JAVA_INT, 0);
    }
  }

  /** Whether it is a unix socket of a type that takes no connections. */
  public boolean isUnix(UnixSocket.Type wanted) {
    return !listening && family == UnixSocket.AF_UNIX && type == wanted.number();
  }

  /** Whether connections of that kind are accepted at it. */
  public boolean isListening(SocketFamily wanted, UnixSocket.Type wantedType) {
    return listening && family == wanted.number() && type == wantedType.number();
  }

  /** In words for a line that complains: {@code listening IPv4 STREAM socket}. */
  @Override
  public String toString() {
    return (listening ? "listening " : "") + familyWords() + " " + typeWords() + " socket";
  }

  private String familyWords() {
    for (SocketFamily known : SocketFamily.values()) {
      if (known.number() == family) {
        return known.toString();
      }
    }
    return "family " + family;
  }

  private String typeWords() {
    for (UnixSocket.Type known : UnixSocket.Type.values()) {
      if (known.number() == type) {
        return known.toString();
      }
    }
    return "type " + type;
  }
}
