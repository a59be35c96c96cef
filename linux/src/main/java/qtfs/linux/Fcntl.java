package qtfs.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static qtfs.linux.LinuxException.check;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** What the kernel tells of descriptors and of the open files behind them, and their flags. */
public final class Fcntl {
  private static final MemorySegment FCNTL = Libc.function("fcntl");
  private static final MemorySegment READLINK = Libc.function("readlink");
  private static final int PATH_MAX = 4096; // linux/limits.h
  // linux/fcntl.h
  private static final int F_GETFD = 1;
  private static final int F_SETFD = 2;
  private static final int F_GETFL = 3;
  private static final int F_SETFL = 4;
  private static final int FD_CLOEXEC = 1;

  private Fcntl() {}

  /** The open file's flags, {@code F_GETFL}: access mode, O_APPEND, O_NONBLOCK and others. */
  public static int statusFlags(Fd fd) throws LinuxException {
    return statusFlags(fd.number());
  }

  /** The flags of a descriptor that this process holds but no {@link Fd} owns: an inherited one. */
  public static int statusFlags(int number) throws LinuxException {
    return check(Libc.call(FCNTL, number, F_GETFL), "fcntl fd " + number);
  }

  /** Sets the open file's flags; all who share the open file see it. */
  public static void statusFlags(Fd fd, int flags) throws LinuxException {
    check(Libc.call(FCNTL, fd.number(), F_SETFL, flags), "fcntl " + fd);
  }

  /** Whether a descriptor of this process is closed by exec: an inherited one never is. */
  public static boolean isCloseOnExec(int number) throws LinuxException {
    return (check(Libc.call(FCNTL, number, F_GETFD), "fcntl fd " + number) & FD_CLOEXEC) != 0;
  }

  /** Keeps a descriptor of this process from its children, or passes it on. */
  public static void closeOnExec(int number, boolean on) throws LinuxException {
    check(Libc.call(FCNTL, number, F_SETFD, on ? FD_CLOEXEC : 0), "fcntl fd " + number);
  }

  /**
   * The path by which a descriptor of this process was opened, as of now: {@code /proc/self/fd}.
   * Read here and not with java.nio, which in the C locale cannot hold all paths.
   */
  public static String path(int number) throws LinuxException {
    String link = "/proc/self/fd/" + number;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = Libc.cString(arena, link);
      MemorySegment target = arena.allocate(PATH_MAX);
      int length =
          check(
              Libc.call(READLINK, name.address(), target.address(), PATH_MAX), "readlink " + link);
      return new String(target.asSlice(0, length).toArray(JAVA_BYTE), UTF_8);
    }
  }
}
