package qtfs.udsproxy;

import io.netty.util.concurrent.EventExecutor;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;

/**
 * Lets a number of events through in a period that begins with the first, and counts the others, so
 * that a flood of them cannot fill a disk with log lines. At the end of a period it tells how many
 * were kept back, if any were. For any thread.
 */
final class FloodGate {
  private final EventExecutor timer;
  private final int most;
  private final Duration period;
  private final LongConsumer keptBack;
  private int through;
  private long back;

  /**
   * Makes a gate.
   *
   * @param keptBack is told the number, on the timer's thread
   */
  FloodGate(EventExecutor timer, int most, Duration period, LongConsumer keptBack) {
    this.timer = timer;
    this.most = most;
    this.period = period;
    this.keptBack = keptBack;
  }

  /** Whether this event may pass. */
  synchronized boolean pass() {
    if (through == most) {
      back++;
      return false;
    }
    if (through++ == 0) {
      timer.schedule(this::tell, period.toMillis(), TimeUnit.MILLISECONDS);
    }
    return true;
  }

  /** Ends the period: at its time, or because the proxy stops. */
  void tell() {
    long number = next();
    if (number > 0) {
      keptBack.accept(number);
    }
  }

  private synchronized long next() {
    long number = back;
    through = 0;
    back = 0;
    return number;
  }
}
