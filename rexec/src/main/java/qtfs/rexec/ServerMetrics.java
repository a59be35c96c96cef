package qtfs.rexec;

import static java.util.Objects.requireNonNull;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import qtfs.linux.ExitStatus;
import qtfs.udsproxy.metrics.Histogram;
import qtfs.udsproxy.metrics.MetricsPage;

/**
 * What a server has done since its start, counted. The names are an interface for others,
 * documented in docs/metrics.md, and a test compares the two. For any thread.
 */
final class ServerMetrics {
  /** How programs end, by what a script would ask. */
  enum Ending {
    ZERO,
    NONZERO,
    SIGNAL
  }

  /** The streams that the server copies itself: those of a terminal. */
  enum Stream {
    STDIN,
    STDOUT
  }

  /** Upper bounds in seconds: programs take from a moment to months. */
  private static final double[] RUNS = {
    0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 3600, 21_600, 86_400, 604_800
  };

  private final Map<Outcome, LongAdder> outcomes = counters(Outcome.values());
  private final Map<Refusal, LongAdder> refusals = counters(Refusal.values());
  private final Map<Limit, LongAdder> limits = counters(Limit.values());
  private final Map<Ending, LongAdder> endings = counters(Ending.values());
  private final Map<Stream, LongAdder> bytes = counters(Stream.values());
  private final LongAdder protocolErrors = new LongAdder();
  private final Histogram starts = new Histogram();
  private final Histogram runs = new Histogram(RUNS);

  /** One for each key, so that all are shown from the start; the map is never changed. */
  private static <K extends Enum<K>> Map<K, LongAdder> counters(K[] keys) {
    Map<K, LongAdder> counters = new EnumMap<>(keys[0].getDeclaringClass());
    Arrays.stream(keys).forEach(key -> counters.put(key, new LongAdder()));
    return counters;
  }

  private static <K extends Enum<K>> void add(Map<K, LongAdder> counters, K key, long amount) {
    requireNonNull(counters.get(key)).add(amount);
  }

  void requested(Outcome outcome) {
    add(outcomes, outcome, 1);
  }

  void refused(Refusal kind) {
    add(refusals, kind, 1);
    switch (kind) {
      case REQUEST_BYTES -> reached(Limit.REQUEST_BYTES);
      case PROGRAMS_PER_USER -> reached(Limit.PROGRAMS_PER_USER);
      case NOT_IN_WHITELIST, FITS_NO_RULE, USER, VARIABLE, NICE -> {}
    }
  }

  void reached(Limit limit) {
    add(limits, limit, 1);
  }

  /** A connection was ended because what came is no request, or is none that can be understood. */
  void protocolError() {
    protocolErrors.increment();
  }

  /** A program has been started, so many nanoseconds after its request. */
  void started(long nanos) {
    starts.record(nanos);
  }

  /** A program has ended, so many nanoseconds after its start. */
  void ended(ExitStatus status, long nanos) {
    runs.record(nanos);
    switch (status) {
      case ExitStatus.Exited(int code) -> add(endings, code == 0 ? Ending.ZERO : Ending.NONZERO, 1);
      case ExitStatus.Killed _ -> add(endings, Ending.SIGNAL, 1);
    }
  }

  void copied(Stream stream, long amount) {
    add(bytes, stream, amount);
  }

  void addTo(MetricsPage page) {
    counters(page, "requests", "Requests, by what became of them", "outcome", outcomes);
    counters(page, "refusals", "Requests that were refused", "reason", refusals);
    counters(page, "limit_hits", "How often a limit took effect", "limit", limits);
    counters(page, "programs_ended", "Programs that have ended", "ending", endings);
    counters(page, "terminal_bytes", "Bytes of programs on terminals", "stream", bytes);
    page.counter(
        "qtfs_rexec_protocol_errors_total",
        "Connections ended because what came is no request",
        protocolErrors.sum());
    page.histogram(
        "qtfs_rexec_start_seconds",
        "From the request until the program was started, the client's word for it included",
        starts);
    page.histogram("qtfs_rexec_program_seconds", "How long programs ran that have ended", runs);
  }

  private static <K extends Enum<K>> void counters(
      MetricsPage page, String name, String help, String label, Map<K, LongAdder> counters) {
    counters.forEach(
        (key, count) ->
            page.counter("qtfs_rexec_" + name + "_total", help, count.sum(), label, word(key)));
  }

  /** A label's value. */
  static String word(Enum<?> key) {
    return key.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
