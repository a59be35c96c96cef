package qtfs.linux;

import java.lang.foreign.MemorySegment;

/** Whether somebody looks at what is written. */
public final class Terminal {
  private static final MemorySegment ISATTY = Libc.function("isatty");

  private Terminal() {}

  /** Whether a descriptor of this process is a terminal. */
  public static boolean isTerminal(int number) {
    return Libc.call(ISATTY, number) == 1;
  }
}
