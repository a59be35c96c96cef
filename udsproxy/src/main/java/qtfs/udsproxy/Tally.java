package qtfs.udsproxy;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/** Counters by key, 0 before the first of a key. For any thread. */
final class Tally<K> {
  private final Map<K, LongAdder> counters = new ConcurrentHashMap<>();

  void add(K key, long amount) {
    counters.computeIfAbsent(key, _ -> new LongAdder()).add(amount);
  }

  long get(K key) {
    LongAdder counter = counters.get(key);
    return counter == null ? 0 : counter.sum();
  }

  /** What has been counted at least once. */
  Set<K> keys() {
    return Set.copyOf(counters.keySet());
  }

  long sum() {
    return counters.values().stream().mapToLong(LongAdder::sum).sum();
  }
}
