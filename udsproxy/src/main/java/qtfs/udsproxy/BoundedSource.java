package qtfs.udsproxy;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Log;
import qtfs.udsproxy.metrics.MetricsPage;

/**
 * A source of metrics that cannot hold up a scrape: it is asked on a thread of its own, and while
 * that one hangs not asked again. By one thread at a time.
 */
final class BoundedSource {
  private static final String HELP = "1 if it has answered this scrape in time";

  private final MetricsSource source;
  private @Nullable CompletableFuture<@Nullable MetricsPage> last;

  BoundedSource(MetricsSource source) {
    this.source = source;
  }

  /** An answer that is awaited. */
  final class Asked {
    private final CompletableFuture<@Nullable MetricsPage> answer;

    private Asked(CompletableFuture<@Nullable MetricsPage> answer) {
      this.answer = answer;
    }

    /**
     * Adds the answer, or that there is none.
     *
     * @param deadline of {@link System#nanoTime}
     */
    void addTo(MetricsPage page, long deadline) {
      MetricsPage its = await(deadline);
      page.gauge(source.up(), HELP, its == null ? 0 : 1);
      if (its != null) {
        page.addAll(its);
      }
    }

    private @Nullable MetricsPage await(long deadline) {
      try {
        return answer.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
      } catch (TimeoutException | ExecutionException e) {
        return null;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return null;
      }
    }
  }

  /** Begins to ask, unless the answer to an earlier question is still not there. */
  Asked ask() {
    CompletableFuture<@Nullable MetricsPage> answer = last;
    if (answer == null || answer.isDone()) {
      CompletableFuture<@Nullable MetricsPage> fresh = new CompletableFuture<>();
      Thread.ofPlatform().daemon().name("metrics").start(() -> fresh.complete(read()));
      last = fresh;
      answer = fresh;
    }
    return new Asked(answer);
  }

  private @Nullable MetricsPage read() {
    try {
      MetricsPage page = new MetricsPage();
      source.addTo(page);
      return page;
    } catch (IOException | RuntimeException e) {
      Log.debug(source.up() + " is 0: " + e.getMessage());
      return null;
    }
  }
}
