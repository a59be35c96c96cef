package qtfs.udsproxy;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** What the proxy counts since its start. For any thread. */
final class Statistics {
  private final AtomicLong sessionNumbers = new AtomicLong();
  private final LongAdder sessions = new LongAdder();
  private final LongAdder refusals = new LongAdder();
  private final LongAdder protocolErrors = new LongAdder();

  /** A number for a new session, by which its log lines belong together. */
  long nextSession() {
    sessions.increment();
    return sessionNumbers.incrementAndGet();
  }

  void refused() {
    refusals.increment();
  }

  void protocolError() {
    protocolErrors.increment();
  }

  long sessions() {
    return sessions.sum();
  }

  long refusals() {
    return refusals.sum();
  }

  long protocolErrors() {
    return protocolErrors.sum();
  }
}
