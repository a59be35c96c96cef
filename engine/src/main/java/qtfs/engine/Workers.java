package qtfs.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import qtfs.linux.Errno;
import qtfs.linux.Log;

/**
 * The threads that the kernel module works in: some that serve the client's requests, and one for
 * its epoll events. Platform threads, since the kernel sees them.
 *
 * <p>A signal that ends a request is no reason to end, nor is a failure for a while: the request is
 * made again. What ends a thread that nobody has stopped is told once.
 */
final class Workers {
  /** Between a request that was not served and the next; the module counts on it. */
  private static final Duration PAUSE = Duration.ofMillis(1);

  /** So long a thread may fail in all that it asks; what passes by itself has passed by then. */
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final ServerModule module;
  private final Consumer<String> ended;
  private final List<Thread> threads = new ArrayList<>();
  private final AtomicBoolean told = new AtomicBoolean();
  private final AtomicBoolean complained = new AtomicBoolean();
  private volatile boolean stopping;

  /**
   * Threads for a module.
   *
   * @param ended given the reason, on one of the threads, if they end without {@link #stop}
   */
  Workers(ServerModule module, Consumer<String> ended) {
    this.module = module;
    this.ended = ended;
  }

  /** Starts them; once, after the module has its buffers. */
  void start(int count) {
    for (int i = 1; i <= count; i++) {
      start("engine-run-" + i, () -> repeat(module::threadRun));
    }
    start("engine-epoll", this::serveEvents);
  }

  private void start(String name, Runnable task) {
    threads.add(Thread.ofPlatform().daemon().name(name).start(task));
  }

  private void repeat(IntSupplier request) {
    Failing failing = new Failing();
    boolean goesOn = true;
    while (goesOn) {
      goesOn = goesOnAfter(request.getAsInt(), failing);
    }
  }

  private void serveEvents() {
    Failing failing = new Failing();
    int answer;
    do {
      answer = module.epollThreadInit();
    } while (answer != ServerModule.SERVED && goesOnAfter(answer, failing));
    if (answer == ServerModule.SERVED) {
      repeat(module::epollThreadRun);
    }
  }

  /** Since when one thread's requests have reached nobody. */
  private static final class Failing {
    private long since;
    private boolean begun;

    void end() {
      begun = false;
    }

    boolean isTooLong() {
      if (!begun) {
        since = System.nanoTime();
        begun = true;
      }
      return System.nanoTime() - since > PATIENCE.toNanos();
    }
  }

  /** Whether there is a next request, and if so, pauses where there must be a pause before it. */
  private boolean goesOnAfter(int answer, Failing failing) {
    if (stopping) {
      return false;
    }
    if (answer == ServerModule.EXIT) {
      end("the kernel module has ended the service: somebody else has stopped it");
      return false;
    }
    if (ServerModule.isGone(answer)) {
      end("the kernel module is gone: " + ServerModule.reason(answer));
      return false;
    }
    if (answer >= 0) {
      failing.end();
    } else if (answer != -Errno.EINTR && !isBorne(answer, failing)) {
      return false;
    }
    return answer == ServerModule.SERVED || pause();
  }

  /** Whether a failed request is to be made again. */
  private boolean isBorne(int answer, Failing failing) {
    if (failing.isTooLong()) {
      end(
          "the kernel module has served no request for "
              + PATIENCE.toSeconds()
              + " s: "
              + ServerModule.reason(answer));
      return false;
    }
    if (complained.compareAndSet(false, true)) {
      Log.warn("a request to the kernel module failed, and is repeated: " + Errno.message(-answer));
    }
    return true;
  }

  private static boolean pause() {
    try {
      Thread.sleep(PAUSE);
      return true;
    } catch (InterruptedException e) {
      return false; // asked to end, if not by us
    }
  }

  private void end(String reason) {
    if (told.compareAndSet(false, true)) {
      ended.accept(reason);
    }
  }

  /** Lets each end after its present request. */
  void stop() {
    stopping = true;
  }

  /**
   * Waits for their end.
   *
   * @param deadline of {@link System#nanoTime}
   * @return false if some were still in a request then
   */
  boolean join(long deadline) throws InterruptedException {
    boolean all = true;
    for (Thread thread : threads) {
      all &= thread.join(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())));
    }
    return all;
  }
}
