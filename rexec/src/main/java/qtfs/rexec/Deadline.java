package qtfs.rexec;

import java.time.Duration;

/** A moment at which waiting ends, or never. */
final class Deadline {
  static final Duration FOREVER = Duration.ofNanos(-1);
  static final Deadline NEVER = new Deadline(0, true);

  private final long nanoTime;
  private final boolean never;

  private Deadline(long nanoTime, boolean never) {
    this.nanoTime = nanoTime;
    this.never = never;
  }

  static Deadline after(Duration limit) {
    return new Deadline(System.nanoTime() + limit.toNanos(), false);
  }

  /** The time left, 0 when it is over, negative for never: as {@link qtfs.linux.Poll} takes it. */
  Duration left() {
    return never ? FOREVER : Duration.ofNanos(Math.max(0, nanoTime - System.nanoTime()));
  }

  boolean isOver() {
    return !never && nanoTime - System.nanoTime() <= 0;
  }
}
