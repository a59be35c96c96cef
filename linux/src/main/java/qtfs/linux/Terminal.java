package qtfs.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** What the kernel tells of terminals, and their sizes. */
public final class Terminal {
  private static final MemorySegment ISATTY = Libc.function("isatty");
  private static final MemorySegment GETPGRP = Libc.function("getpgrp");
  // asm-generic/ioctls.h
  private static final int TIOCGPGRP = 0x540f;
  private static final int TIOCGWINSZ = 0x5413;
  private static final int TIOCSWINSZ = 0x5414;

  private Terminal() {}

  /**
   * How much a terminal shows.
   *
   * @param rows lines, 0 if unknown
   * @param columns characters in a line, 0 if unknown
   */
  public record Size(int rows, int columns) {
    public static final Size UNKNOWN = new Size(0, 0);
  }

  /** Whether a descriptor of this process is a terminal: whether somebody looks at it. */
  public static boolean isTerminal(int number) {
    return Libc.call(ISATTY, number) == 1;
  }

  /** Whether this process may read the terminal without being stopped for it. */
  public static boolean isInForeground(Fd terminal) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment group = arena.allocate(JAVA_INT);
      return Ioctl.byPointer(terminal, TIOCGPGRP, group) == 0
          && group.get(JAVA_INT, 0) == Libc.call(GETPGRP, 0);
    }
  }

  /** The size of a terminal, unknown for what is none. */
  public static Size size(Fd terminal) {
    try (Arena arena = Arena.ofConfined()) {
      // struct winsize: u16 rows, columns, and two that nobody uses
      MemorySegment size = arena.allocate(8, 2);
      if (Ioctl.byPointer(terminal, TIOCGWINSZ, size) < 0) {
        return Size.UNKNOWN;
      }
      return new Size(
          Short.toUnsignedInt(size.get(JAVA_SHORT, 0)),
          Short.toUnsignedInt(size.get(JAVA_SHORT, 2)));
    }
  }

  /** Tells a terminal its size; the kernel tells its programs, by SIGWINCH. */
  public static void resize(Fd terminal, Size size) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment winsize = arena.allocate(8, 2);
      winsize.set(JAVA_SHORT, 0, (short) size.rows);
      winsize.set(JAVA_SHORT, 2, (short) size.columns);
      int ignored = Ioctl.byPointer(terminal, TIOCSWINSZ, winsize);
    }
  }
}
