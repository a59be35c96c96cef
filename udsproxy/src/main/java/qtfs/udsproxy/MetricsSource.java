package qtfs.udsproxy;

import java.io.IOException;
import qtfs.udsproxy.metrics.MetricsPage;

/**
 * Another part of the process that has metrics, shown next to the proxy's. Asked at each scrape, on
 * a thread of its own and by one thread at a time; whoever takes longer than {@link
 * MetricsExporter#SOURCE_TIME} or fails is down for that scrape, and the others are shown.
 */
public interface MetricsSource {
  /** The name of the gauge that is 1 when the source has answered and 0 when it has not. */
  String up();

  /**
   * Adds the metrics as of now; {@link #up} is added by the caller.
   *
   * @throws IOException if they cannot be had
   */
  void addTo(MetricsPage page) throws IOException;
}
