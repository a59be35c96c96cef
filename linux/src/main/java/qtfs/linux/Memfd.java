package qtfs.linux;

import static qtfs.linux.LinuxException.check;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Files that live in memory and have no name in any directory, memfd_create(2). */
public final class Memfd {
  private static final MemorySegment MEMFD_CREATE = Libc.function("memfd_create");
  private static final MemorySegment FCNTL = Libc.function("fcntl");
  private static final int MFD_CLOEXEC = 1; // linux/memfd.h
  private static final int MFD_ALLOW_SEALING = 2;
  private static final int F_ADD_SEALS = 1033; // linux/fcntl.h
  private static final int F_GET_SEALS = 1034;
  private static final int F_SEAL_SEAL = 1;
  private static final int F_SEAL_SHRINK = 2;
  private static final int F_SEAL_GROW = 4;
  private static final int F_SEAL_WRITE = 8;
  private static final int SEALED = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

  private Memfd() {}

  /**
   * A new empty file, open for reading and writing, that can be sealed.
   *
   * @param name for {@code /proc/PID/fd}, need not be unique
   */
  public static Fd create(String name) throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
      return Fd.own(
          check(Libc.call(MEMFD_CREATE, Libc.cString(arena, name).address(), flags), "memfd"));
    }
  }

  /** Fixes content and size of a file for good, for everybody who has it. */
  public static void seal(Fd file) throws LinuxException {
    check(Libc.call(FCNTL, file.number(), F_ADD_SEALS, SEALED), "seal " + file);
  }

  /** Whether content and size are fixed; false for a file that cannot be sealed. */
  public static boolean isSealed(Fd file) {
    int seals = Libc.call(FCNTL, file.number(), F_GET_SEALS);
    return seals >= 0 && (seals & SEALED) == SEALED;
  }
}
