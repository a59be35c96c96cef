package qtfs.udsproxy;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** What the proxy counts since its start. For any thread. */
final class Statistics {
  private final AtomicLong sessionNumbers = new AtomicLong();
  private final LongAdder sessions = new LongAdder();
  private final LongAdder refusals = new LongAdder();
  private final LongAdder protocolErrors = new LongAdder();
  private final LongAdder bytesToPeer = new LongAdder();
  private final LongAdder bytesFromPeer = new LongAdder();

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

  void bytesToPeer(int bytes) {
    bytesToPeer.add(bytes);
  }

  void bytesFromPeer(int bytes) {
    bytesFromPeer.add(bytes);
  }

  long bytesToPeer() {
    return bytesToPeer.sum();
  }

  long bytesFromPeer() {
    return bytesFromPeer.sum();
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
