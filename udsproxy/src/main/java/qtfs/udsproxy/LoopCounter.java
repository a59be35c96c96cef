package qtfs.udsproxy;

import java.util.concurrent.atomic.AtomicLong;

/**
 * A number that one event loop writes and any thread may read.
 *
 * <p>Writing is a plain add followed by an opaque store: no lock, no fence, so it costs the loop
 * nothing. Opaque reads see each number whole, and soon, but numbers that change together may be
 * seen one step apart.
 */
final class LoopCounter {
  private final AtomicLong value = new AtomicLong();

  /** Adds to the number; by its loop only. */
  void add(long amount) {
    value.setOpaque(value.getPlain() + amount);
  }

  /** Puts another number in its place; by its loop only. */
  void set(long number) {
    value.setOpaque(number);
  }

  long get() {
    return value.getOpaque();
  }
}
