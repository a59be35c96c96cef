package qtfs.udsproxy;

import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The proxy's own metrics. Their names and labels are an interface for others, documented in
 * docs/metrics.md, and a test compares the two. What can only be one of a few is shown before it
 * has happened, as 0.
 */
final class ProxyMetrics {
  private final Shared shared;
  private final Statistics statistics;
  private final MetricsPage page;

  private ProxyMetrics(Shared shared, MetricsPage page) {
    this.shared = shared;
    this.statistics = shared.statistics();
    this.page = page;
  }

  static void addTo(MetricsPage page, Shared shared) {
    ProxyMetrics metrics = new ProxyMetrics(shared, page);
    metrics.sessions();
    metrics.traffic();
    metrics.buffers();
    metrics.refusals();
    metrics.times();
  }

  private void sessions() {
    Map<Statistics.Kind, Long> open =
        shared.sessions().stream()
            .collect(
                Collectors.groupingBy(
                    session -> new Statistics.Kind(session.direction(), session.dialect()),
                    Collectors.counting()));
    for (Statistics.Kind kind : kinds()) {
      String[] labels = {"direction", kind.direction().word(), "dialect", kind.dialect()};
      page.gauge(
          "qtfs_proxy_sessions_open",
          "Sessions that are connected now",
          open.getOrDefault(kind, 0L),
          labels);
      page.counter(
          "qtfs_proxy_sessions_total",
          "Sessions that were connected since the start",
          statistics.sessionsByKind().get(kind),
          labels);
    }
    page.gauge(
        "qtfs_proxy_sessions_taken",
        "Sessions connected or being connected, of qtfs_proxy_sessions_max",
        shared.places().taken());
    page.gauge("qtfs_proxy_sessions_max", "What --max-sessions allows", shared.limits().sessions());
  }

  /** All are there from the start. */
  private Set<Statistics.Kind> kinds() {
    Set<Statistics.Kind> kinds = new LinkedHashSet<>();
    for (SessionInfo.Direction direction : SessionInfo.Direction.values()) {
      for (Dialect dialect : Dialect.values()) {
        kinds.add(new Statistics.Kind(direction, dialect.word()));
      }
    }
    kinds.addAll(statistics.sessionsByKind().keys());
    return kinds;
  }

  private void buffers() {
    page.gauge(
        "qtfs_proxy_buffered_bytes",
        "Bytes of buffers that wait for slow readers, of all sessions",
        shared.backlog().held());
    page.gauge(
        "qtfs_proxy_buffered_max_bytes",
        "What --max-buffered-total allows",
        shared.limits().bufferedInAll());
  }

  private void traffic() {
    for (Statistics.Way way : Statistics.Way.values()) {
      page.counter(
          "qtfs_proxy_bytes_total",
          "Payload bytes of sessions",
          statistics.bytes(way),
          "way",
          way.word());
      page.counter(
          "qtfs_proxy_pipe_bytes_total",
          "Bytes of pipes that were passed through sessions",
          statistics.pipeBytes(way),
          "way",
          way.word());
      for (FdKind kind : FdKind.values()) {
        page.counter(
            "qtfs_proxy_descriptors_total",
            "Descriptors that have crossed",
            statistics.fds().get(new Statistics.Passed(way, kind)),
            "way",
            way.word(),
            "kind",
            kind.word());
      }
    }
    page.counter(
        "qtfs_proxy_descriptors_refused_total",
        "Descriptors that may not cross, or cannot",
        statistics.fdsRefused());
    page.gauge(
        "qtfs_proxy_pipes_open",
        "Passed pipes that are relayed now",
        shared.relays().stream().filter(PipeHalf.class::isInstance).count());
    page.gauge(
        "qtfs_proxy_pipes_waiting",
        "Passed pipes that the peer has not asked for yet",
        shared.passedPipes().size());
  }

  private void refusals() {
    for (SessionInfo.Direction direction : SessionInfo.Direction.values()) {
      for (Refusal refusal : Refusal.values()) {
        page.counter(
            "qtfs_proxy_refusals_total",
            "Sessions that did not come about",
            statistics.refusalsByReason().get(new Statistics.Refused(direction, refusal)),
            "direction",
            direction.word(),
            "reason",
            refusal.word());
      }
    }
    for (Limit limit : Limit.values()) {
      page.counter(
          "qtfs_proxy_limit_hits_total",
          "How often a limit took effect",
          statistics.limits().get(limit),
          "limit",
          limit.word());
    }
    page.counter(
        "qtfs_proxy_strangers_total",
        "Connections of others than the peer, closed unheard",
        statistics.strangers());
    page.counter(
        "qtfs_proxy_protocol_errors_total",
        "Connections ended because the peer broke the protocol",
        statistics.protocolErrors());
  }

  private void times() {
    for (SessionInfo.Direction direction : SessionInfo.Direction.values()) {
      page.histogram(
          "qtfs_proxy_connect_seconds",
          "From the request until whoever asked could go on",
          statistics.connects(direction),
          "direction",
          direction.word());
    }
    page.histogram(
        "qtfs_proxy_loop_lag_seconds",
        "How much later than due the event loops ran a task that is due once a second",
        statistics.loopLag());
    page.gauge("qtfs_proxy_loops", "Event loops", shared.loops().size());
  }
}
