package qtfs.udsproxy;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** What the proxy counts since its start. For any thread. */
final class Statistics {
  /** Sessions that are counted together. */
  record Kind(SessionInfo.Direction direction, String dialect) {}

  /** Refusals that are counted together. */
  record Refused(SessionInfo.Direction direction, Refusal refusal) {}

  /** Which way something goes. */
  enum Way {
    TO_PEER("to-peer"),
    FROM_PEER("from-peer");

    private final String word;

    Way(String word) {
      this.word = word;
    }

    /** As it stands in metrics. */
    String word() {
      return word;
    }
  }

  /** Descriptors that are counted together. */
  record Passed(Way way, FdKind kind) {}

  private final AtomicLong sessionNumbers = new AtomicLong();
  private final Tally<Kind> sessions = new Tally<>();
  private final Tally<Refused> refusals = new Tally<>();
  private final Tally<Limit> limits = new Tally<>();
  private final Tally<Passed> fds = new Tally<>();
  private final LongAdder fdsRefused = new LongAdder();
  private final LongAdder strangers = new LongAdder();
  private final LongAdder protocolErrors = new LongAdder();
  private final LongAdder bytesToPeer = new LongAdder();
  private final LongAdder bytesFromPeer = new LongAdder();
  private final LongAdder pipeBytesToPeer = new LongAdder();
  private final LongAdder pipeBytesFromPeer = new LongAdder();
  private final Histogram connectOutgoing = new Histogram();
  private final Histogram connectIncoming = new Histogram();
  private final Histogram loopLag = new Histogram();

  /** A number for a new session, by which its log lines belong together. */
  long nextSession(SessionInfo.Direction direction, String dialect) {
    sessions.add(new Kind(direction, dialect), 1);
    return sessionNumbers.incrementAndGet();
  }

  void refused(SessionInfo.Direction direction, Refusal refusal) {
    refusals.add(new Refused(direction, refusal), 1);
  }

  void hit(Limit limit) {
    limits.add(limit, 1);
  }

  void stranger() {
    strangers.increment();
  }

  void protocolError() {
    protocolErrors.increment();
  }

  /** A descriptor has been passed. */
  void fd(Way way, FdKind kind) {
    fds.add(new Passed(way, kind), 1);
  }

  void fdRefused() {
    fdsRefused.increment();
  }

  /** Payload of sessions. */
  void bytes(Way way, int count) {
    (way == Way.TO_PEER ? bytesToPeer : bytesFromPeer).add(count);
  }

  /** Bytes of pipes that have been passed. */
  void pipeBytes(Way way, int count) {
    (way == Way.TO_PEER ? pipeBytesToPeer : pipeBytesFromPeer).add(count);
  }

  /** How long it took until whoever asked could go on. */
  Histogram connects(SessionInfo.Direction direction) {
    return direction == SessionInfo.Direction.OUTGOING ? connectOutgoing : connectIncoming;
  }

  /** How much later than asked for the event loops did something. */
  Histogram loopLag() {
    return loopLag;
  }

  long sessions() {
    return sessionNumbers.get();
  }

  Tally<Kind> sessionsByKind() {
    return sessions;
  }

  /** Whatever was not allowed or did not come about, strangers and descriptors included. */
  long refusals() {
    return refusals.sum() + strangers.sum() + fdsRefused.sum();
  }

  Tally<Refused> refusalsByReason() {
    return refusals;
  }

  Tally<Limit> limits() {
    return limits;
  }

  Tally<Passed> fds() {
    return fds;
  }

  long fdsRefused() {
    return fdsRefused.sum();
  }

  long strangers() {
    return strangers.sum();
  }

  long protocolErrors() {
    return protocolErrors.sum();
  }

  long bytes(Way way) {
    return (way == Way.TO_PEER ? bytesToPeer : bytesFromPeer).sum();
  }

  long pipeBytes(Way way) {
    return (way == Way.TO_PEER ? pipeBytesToPeer : pipeBytesFromPeer).sum();
  }
}
