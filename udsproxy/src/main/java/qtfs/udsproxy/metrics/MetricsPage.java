package qtfs.udsproxy.metrics;

import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.OpenMetricsTextFormatWriter;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.io.IOException;
import java.io.OutputStream;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The metrics of one scrape. Whoever adds some gives the full name as it is documented, with {@code
 * _total} and {@code _info}, and labels as name and value in turn; one name has one kind and one
 * help. One thread at a time.
 */
public final class MetricsPage {
  private static final String TOTAL = "_total";
  private static final String INFO = "_info";

  private final Map<String, CounterSnapshot.Builder> counters = new LinkedHashMap<>();
  private final Map<String, GaugeSnapshot.Builder> gauges = new LinkedHashMap<>();
  private final Map<String, HistogramSnapshot.Builder> histograms = new LinkedHashMap<>();
  private final Map<String, InfoSnapshot.Builder> infos = new LinkedHashMap<>();

  /** Adds a number that only grows. */
  public MetricsPage counter(String name, String help, Number value, String... labels) {
    counters
        .computeIfAbsent(base(name, TOTAL), base -> CounterSnapshot.builder().name(base).help(help))
        .dataPoint(
            CounterSnapshot.CounterDataPointSnapshot.builder()
                .value(value.doubleValue())
                .labels(Labels.of(labels))
                .build());
    return this;
  }

  /** Adds a number that goes up and down. */
  public MetricsPage gauge(String name, String help, Number value, String... labels) {
    gauges
        .computeIfAbsent(name, base -> GaugeSnapshot.builder().name(base).help(help))
        .dataPoint(
            GaugeSnapshot.GaugeDataPointSnapshot.builder()
                .value(value.doubleValue())
                .labels(Labels.of(labels))
                .build());
    return this;
  }

  /** Adds what does not change while the process runs. */
  public MetricsPage info(String name, String help, String... labels) {
    infos
        .computeIfAbsent(base(name, INFO), base -> InfoSnapshot.builder().name(base).help(help))
        .dataPoint(InfoSnapshot.InfoDataPointSnapshot.builder().labels(Labels.of(labels)).build());
    return this;
  }

  /** Adds durations. */
  public MetricsPage histogram(String name, String help, Histogram histogram, String... labels) {
    histograms
        .computeIfAbsent(name, base -> HistogramSnapshot.builder().name(base).help(help))
        .dataPoint(
            HistogramSnapshot.HistogramDataPointSnapshot.builder()
                .classicHistogramBuckets(
                    ClassicHistogramBuckets.of(histogram.bounds(), histogram.counts()))
                .sum(histogram.sumSeconds())
                .labels(Labels.of(labels))
                .build());
    return this;
  }

  private static String base(String name, String ending) {
    if (!name.endsWith(ending)) {
      throw new IllegalArgumentException(name + " does not end with " + ending);
    }
    return name.substring(0, name.length() - ending.length());
  }

  /** Takes over all that is on another page, which has other names. */
  public void addAll(MetricsPage other) {
    counters.putAll(other.counters);
    gauges.putAll(other.gauges);
    histograms.putAll(other.histograms);
    infos.putAll(other.infos);
  }

  /**
   * Writes them all, by name.
   *
   * @param accept what the HTTP header of that name says, empty for none
   * @return the content type
   */
  public String write(OutputStream out, String accept) throws IOException {
    MetricSnapshots.Builder all = MetricSnapshots.builder();
    counters.values().forEach(one -> all.metricSnapshot(one.build()));
    gauges.values().forEach(one -> all.metricSnapshot(one.build()));
    histograms.values().forEach(one -> all.metricSnapshot(one.build()));
    infos.values().forEach(one -> all.metricSnapshot(one.build()));
    ExpositionFormatWriter writer = OpenMetricsTextFormatWriter.create();
    if (!writer.accepts(accept)) {
      writer = PrometheusTextFormatWriter.create();
    }
    writer.write(out, all.build());
    return writer.getContentType();
  }
}
