package qtfs.udsproxy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Log;
import qtfs.udsproxy.metrics.MetricsPage;
import qtfs.udsproxy.metrics.ProcessMetrics;

/**
 * Puts a scrape together, off the event loops: the files of proc are read, and devices asked, which
 * may hang. One scrape at a time; a few wait, more are turned away. Its thread comes with the first
 * and goes when none has come for a while. For any thread.
 */
final class MetricsExporter {
  /** How long one source may take. */
  static final Duration SOURCE_TIME = Duration.ofSeconds(1);

  private static final int WAITING = 16;

  /**
   * A scrape's result.
   *
   * @param contentType with the format's version
   */
  record Text(String contentType, String body) {}

  private final Shared shared;
  private final List<BoundedSource> sources = new CopyOnWriteArrayList<>();
  private final ThreadPoolExecutor thread =
      new ThreadPoolExecutor(
          1,
          1,
          10,
          TimeUnit.SECONDS,
          new LinkedBlockingQueue<>(WAITING),
          task -> Thread.ofPlatform().daemon().name("metrics").unstarted(task));

  MetricsExporter(Shared shared) {
    this.shared = shared;
    thread.allowCoreThreadTimeOut(true);
  }

  void add(MetricsSource source) {
    sources.add(new BoundedSource(source));
  }

  /**
   * Makes the text of a scrape.
   *
   * @param accept see {@link MetricsPage#write}
   * @param result is given it on the exporter's thread, null if there is none
   * @return whether there will be a result: not when too many wait for theirs
   */
  boolean scrape(String accept, Consumer<@Nullable Text> result) {
    try {
      thread.execute(() -> result.accept(text(accept)));
      return true;
    } catch (RejectedExecutionException tooMany) {
      return false;
    }
  }

  private @Nullable Text text(String accept) {
    try {
      List<BoundedSource.Asked> asked = new ArrayList<>();
      sources.forEach(source -> asked.add(source.ask()));
      MetricsPage page = new MetricsPage();
      ProxyMetrics.addTo(page, shared);
      ProcessMetrics.addTo(page);
      long deadline = System.nanoTime() + SOURCE_TIME.toNanos();
      for (BoundedSource.Asked source : asked) {
        source.addTo(page, deadline);
      }
      ByteArrayOutputStream out = new ByteArrayOutputStream(1 << 15);
      String contentType = page.write(out, accept);
      return new Text(contentType, out.toString(StandardCharsets.UTF_8));
    } catch (IOException | RuntimeException e) {
      Log.error("cannot put the metrics together: " + e);
      return null;
    }
  }

  void close() {
    thread.shutdownNow();
  }
}
