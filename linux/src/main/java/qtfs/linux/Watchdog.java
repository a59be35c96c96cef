package qtfs.linux;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * The sign of life that a service manager may want at regular intervals, as sd_watchdog_enabled(3)
 * has it: sent only while the service says that it is alive, so that one that hangs is restarted.
 *
 * <p>Driven by its owner's thread, which calls {@link #feed} at least every {@link #period}.
 */
public final class Watchdog {
  /**
   * What the manager allows is a multiple of what we need, or a busy machine would be a dead one.
   */
  private static final int SIGNS_AN_INTERVAL = 3;

  private final Notification manager;
  private final Duration period;
  private final BooleanSupplier alive;
  private long last = System.nanoTime();

  Watchdog(Notification manager, Duration interval, BooleanSupplier alive) {
    this.manager = manager;
    this.period = interval.dividedBy(SIGNS_AN_INTERVAL);
    this.alive = alive;
  }

  /**
   * For the manager that has started this process, if it wants one.
   *
   * @param alive asked before each sign; must not block
   */
  public static Optional<Watchdog> fromEnvironment(Notification manager, BooleanSupplier alive) {
    return interval(System.getenv(), ProcessAttributes.pid())
        .map(interval -> new Watchdog(manager, interval, alive));
  }

  static Optional<Duration> interval(Map<String, String> environment, int pid) {
    String own = Integer.toString(pid);
    String wanted = environment.get("WATCHDOG_USEC");
    if (wanted == null || !environment.getOrDefault("WATCHDOG_PID", own).equals(own)) {
      return Optional.empty();
    }
    try {
      long micros = Long.parseLong(wanted);
      if (micros > 0) {
        return Optional.of(Duration.ofNanos(Math.multiplyExact(micros, 1000L)));
      }
    } catch (NumberFormatException | ArithmeticException _) {
      // told below
    }
    Log.warn(
        "WATCHDOG_USEC is \"" + wanted + "\", no number of microseconds: there is no watchdog");
    return Optional.empty();
  }

  /** The longest time between two calls of {@link #feed}. */
  public Duration period() {
    return period;
  }

  /** Sends a sign of life if one is due and there is life. */
  public void feed() {
    long now = System.nanoTime();
    if (now - last >= period.toNanos() && alive.getAsBoolean()) {
      last = now;
      manager.watchdog();
    }
  }
}
