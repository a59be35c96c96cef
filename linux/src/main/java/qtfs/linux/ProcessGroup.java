package qtfs.linux;

import java.lang.foreign.MemorySegment;

/** Process groups that this process is not the parent of: what a server before it has started. */
public final class ProcessGroup {
  private static final MemorySegment KILL = Libc.function("kill");

  private ProcessGroup() {}

  /**
   * Sends a signal to everybody in a group; the caller has made sure whose number it is.
   *
   * @param group above 1: 1 and 0 would be everybody
   * @return 0, or {@code -errno}
   */
  public static int signal(int group, int signal) {
    if (group <= 1) {
      throw new IllegalArgumentException("process group " + group);
    }
    return Libc.call(KILL, -group, signal);
  }
}
