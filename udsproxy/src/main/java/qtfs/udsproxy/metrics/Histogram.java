package qtfs.udsproxy.metrics;

import java.util.Arrays;
import java.util.concurrent.atomic.LongAdder;

/** How often something took how long, in steps of a scale. For any thread. */
public final class Histogram {
  /** Upper bounds in seconds for what takes a moment. */
  private static final double[] MOMENTS = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10
  };

  private final double[] bounds;
  private final LongAdder[] counts;
  private final LongAdder nanos = new LongAdder();

  /** From half a millisecond to ten seconds. */
  public Histogram() {
    this(MOMENTS);
  }

  /**
   * On a scale of its own.
   *
   * @param bounds upper ones in seconds, ascending; one without end is added
   */
  public Histogram(double... bounds) {
    this.bounds = Arrays.copyOf(bounds, bounds.length + 1);
    this.bounds[bounds.length] = Double.POSITIVE_INFINITY;
    this.counts = new LongAdder[this.bounds.length];
    Arrays.setAll(counts, _ -> new LongAdder());
  }

  /** Counts one, given in nanoseconds. */
  public void record(long duration) {
    nanos.add(duration);
    counts[bucket(duration / 1e9)].increment();
  }

  private int bucket(double seconds) {
    int i = 0;
    while (seconds > bounds[i]) {
      i++;
    }
    return i;
  }

  double[] bounds() {
    return bounds.clone();
  }

  /** How often each bucket was hit, by itself. */
  long[] counts() {
    return Arrays.stream(counts).mapToLong(LongAdder::sum).toArray();
  }

  /** All of them together. */
  public double sumSeconds() {
    return nanos.sum() / 1e9;
  }
}
