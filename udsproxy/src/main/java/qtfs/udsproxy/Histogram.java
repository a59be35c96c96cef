package qtfs.udsproxy;

import java.util.concurrent.atomic.LongAdder;

/** How often something took how long, in steps of a fixed scale. For any thread. */
final class Histogram {
  /** Upper bounds in seconds. */
  private static final double[] SECONDS = {
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    2.5,
    5,
    10,
    Double.POSITIVE_INFINITY
  };

  private final LongAdder[] counts = new LongAdder[SECONDS.length];
  private final LongAdder nanos = new LongAdder();

  Histogram() {
    for (int i = 0; i < counts.length; i++) {
      counts[i] = new LongAdder();
    }
  }

  void record(long duration) {
    nanos.add(duration);
    counts[bucket(duration / 1e9)].increment();
  }

  private static int bucket(double seconds) {
    int i = 0;
    while (seconds > SECONDS[i]) {
      i++;
    }
    return i;
  }

  static double[] bounds() {
    return SECONDS.clone();
  }

  /** How often each bucket was hit, by itself. */
  long[] counts() {
    long[] numbers = new long[counts.length];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = counts[i].sum();
    }
    return numbers;
  }

  double sumSeconds() {
    return nanos.sum() / 1e9;
  }
}
