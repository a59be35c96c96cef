package qtfs.engine;

import java.io.IOException;
import java.util.Map;
import qtfs.qtcfg.ModuleCounters;
import qtfs.udsproxy.MetricsSource;
import qtfs.udsproxy.metrics.MetricsPage;

/**
 * The kernel module's own counters, next to the proxy's in a scrape. Their names are an interface,
 * documented in docs/metrics.md. A module that does not answer is {@code qtfs_module_up 0}.
 */
final class ModuleMetrics implements MetricsSource {
  private final ServerModule module;

  ModuleMetrics(ServerModule module) {
    this.module = module;
  }

  @Override
  public String up() {
    return "qtfs_module_up";
  }

  @Override
  public void addTo(MetricsPage page) throws IOException {
    ModuleCounters counters = module.counters();
    byEvent(
        page, "qtfs_module_received_total", "Requests of the client, by kind", counters.received());
    byEvent(page, "qtfs_module_sent_total", "Answers to the client, by kind", counters.sent());
    byEvent(
        page,
        "qtfs_module_faulty_total",
        "Requests of the client that did not pass the module's check, by kind",
        counters.faulty());
    counters
        .threads()
        .forEach(
            (state, count) ->
                page.gauge(
                    "qtfs_module_connections",
                    "Connections of the module, by the state of their thread",
                    count,
                    "state",
                    state));
    page.gauge(
        "qtfs_module_connections_active",
        "Connections that the module counts as active",
        counters.active());
    page.gauge("qtfs_module_connections_usable", "Connections that can be used", counters.usable());
    page.gauge("qtfs_module_connections_busy", "Connections in use", counters.busy());
    page.counter(
        "qtfs_module_epoll_added_total",
        "Files of the client that were added to the epoll instance",
        counters.epollAdded());
    page.counter(
        "qtfs_module_epoll_deleted_total",
        "Files of the client that were taken from the epoll instance",
        counters.epollDeleted());
  }

  private static void byEvent(
      MetricsPage page, String name, String help, Map<String, Long> counts) {
    counts.forEach((event, count) -> page.counter(name, help, count, "event", event));
  }
}
