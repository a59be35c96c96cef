package qtfs.linux;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Waiting for a condition in a test, with an end. */
final class Await {
  private static final Duration LIMIT = Duration.ofSeconds(10);

  private Await() {}

  static void until(BooleanSupplier condition) {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("not within " + LIMIT);
      }
      Thread.onSpinWait();
    }
  }
}
