package qtfs.testing;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Waiting for a condition in a test, with an end: long, as a machine may have much else to do. */
public final class Await {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  /** Few cores are there, and what is waited for needs them. */
  private static final Duration PAUSE = Duration.ofMillis(1);

  private Await() {}

  /**
   * What is waited for.
   *
   * @param <X> what asking may throw, which ends the wait
   */
  @FunctionalInterface
  public interface Condition<X extends Exception> {
    boolean holds() throws X;
  }

  /**
   * Waits half a minute at most.
   *
   * @param what completes "not within 30 s: ..."
   */
  public static <X extends Exception> void until(String what, Condition<X> condition) throws X {
    until(what, LIMIT, condition);
  }

  public static <X extends Exception> void until(
      String what, Duration limit, Condition<X> condition) throws X {
    long deadline = System.nanoTime() + limit.toNanos();
    while (!condition.holds()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("not within " + limit.toSeconds() + " s: " + what);
      }
      LockSupport.parkNanos(PAUSE.toNanos());
    }
  }

  /** Whether a latch has opened in time. */
  public static boolean open(CountDownLatch latch) {
    try {
      return latch.await(LIMIT.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      return false;
    }
  }
}
