package qtfs.udsproxy;

import java.time.Duration;

/**
 * Calls somebody when something has not been used for a time: with one timer, however often it is
 * used meanwhile. On the loop's thread.
 */
final class IdleTimer {
  private static final Duration MILLISECOND = Duration.ofMillis(1); // the timer's grain

  private final ProxyLoop loop;
  private final long idle; // ns
  private final Runnable whenIdle;
  private long used; // System.nanoTime()
  private boolean runs;

  IdleTimer(ProxyLoop loop, Duration idle, Runnable whenIdle) {
    this.loop = loop;
    this.idle = idle.toNanos();
    this.whenIdle = whenIdle;
  }

  /** It is used now: calls when the whole time has passed again without. */
  void used() {
    used = System.nanoTime();
    lookIn(idle);
  }

  private void lookIn(long nanos) {
    if (!runs) {
      runs = true;
      loop.after(Duration.ofNanos(nanos).plus(MILLISECOND), this::look);
    }
  }

  private void look() {
    runs = false;
    long left = used + idle - System.nanoTime();
    if (left > 0) {
      lookIn(left);
    } else {
      whenIdle.run();
    }
  }
}
