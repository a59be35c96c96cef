package qtfs.udsproxy;

import io.netty.util.concurrent.EventExecutor;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Audit;
import qtfs.linux.Log;

/**
 * What becomes of each wish for a connection, counted and written down: its start, its refusal, its
 * end. Who is not the peer, or talks nonsense, gets a line too, but no more of them than {@value
 * #LINES} a minute. Never payload. For any thread.
 */
final class AuditTrail {
  private static final int LINES = 60;
  private static final Duration MINUTE = Duration.ofMinutes(1);

  private final Statistics statistics;
  private final FloodGate strangers;
  private final FloodGate nonsense;

  AuditTrail(Statistics statistics, EventExecutor timer) {
    this(statistics, timer, MINUTE);
  }

  /** For tests, which do not wait a minute. */
  AuditTrail(Statistics statistics, EventExecutor timer, Duration period) {
    this.statistics = statistics;
    this.strangers =
        new FloodGate(timer, LINES, period, number -> keptBack("stranger-refused", number));
    this.nonsense =
        new FloodGate(timer, LINES, period, number -> keptBack("connection-dropped", number));
  }

  private static void keptBack(String event, long number) {
    Log.audit(Audit.of("lines-suppressed").with("of", event).with("count", number));
  }

  /** Both ends are connected. */
  void started(SessionEntry entry) {
    SessionInfo session = entry.info();
    Audit line =
        Audit.of("session-start")
            .with("session", session.number())
            .with("direction", session.direction().word())
            .with("path", session.path())
            .with("peer", session.peer())
            .with("dialect", session.dialect());
    Log.audit(withRequester(line, session.requester()));
  }

  /** The session is over. */
  void ended(SessionEntry entry, String reason) {
    SessionInfo session = entry.info();
    Log.audit(
        Audit.of("session-end")
            .with("session", session.number())
            .with("direction", session.direction().word())
            .with("path", session.path())
            .with("reason", reason)
            .withSeconds("seconds", entry.age())
            .with("bytes_to_peer", session.bytesToPeer())
            .with("bytes_from_peer", session.bytesFromPeer())
            .with("fds_to_peer", session.fdsToPeer())
            .with("fds_from_peer", session.fdsFromPeer()));
  }

  /**
   * An application of this host does not get its connection.
   *
   * @param path empty where the request did not come that far
   */
  void refused(String path, Requester requester, Refusal refusal, String detail) {
    count(SessionInfo.Direction.OUTGOING, refusal);
    Audit line = refusal(SessionInfo.Direction.OUTGOING, path, refusal, detail);
    Log.audit(withRequester(line, requester));
  }

  /**
   * The peer does not get its connection.
   *
   * @param requester null where the peer does not tell
   * @param allow the whitelist entry that would allow it, null where none would
   */
  void refusedToPeer(
      String path,
      String peer,
      @Nullable Requester requester,
      Refusal refusal,
      String detail,
      @Nullable String allow) {
    count(SessionInfo.Direction.INCOMING, refusal);
    Audit line = refusal(SessionInfo.Direction.INCOMING, path, refusal, detail).with("peer", peer);
    if (allow != null) {
      line.with("allow", allow);
    }
    Log.audit(withRequester(line, requester));
  }

  private static Audit refusal(
      SessionInfo.Direction direction, String path, Refusal refusal, String detail) {
    return Audit.of("session-refused")
        .with("direction", direction.word())
        .with("path", path)
        .with("reason", refusal.word())
        .with("detail", detail);
  }

  /** A connection from the peer's address that never became a request. */
  void dropped(String peer, Refusal refusal, String detail) {
    count(SessionInfo.Direction.INCOMING, refusal);
    if (nonsense.pass()) {
      Log.audit(
          Audit.of("connection-dropped")
              .with("peer", peer)
              .with("reason", refusal.word())
              .with("detail", detail));
    }
  }

  /**
   * A connection of somebody who is not the peer.
   *
   * @param detail what shows it
   */
  void stranger(String from, String detail) {
    statistics.stranger();
    if (strangers.pass()) {
      Log.audit(Audit.of("stranger-refused").with("from", from).with("detail", detail));
    }
  }

  /** A descriptor that does not reach the other side, because it may not or cannot. */
  void fdRefused(SessionEntry entry, Exception reason) {
    statistics.fdRefused();
    Audit line =
        Audit.of("descriptor-refused")
            .with("session", entry.info().number())
            .with("detail", String.valueOf(reason.getMessage()));
    if (reason instanceof RefusedException refused && refused.allow() != null) {
      line.with("allow", refused.allow());
    }
    Log.audit(line);
  }

  /** Says what has been kept back so far; at the end. */
  void close() {
    strangers.tell();
    nonsense.tell();
  }

  private void count(SessionInfo.Direction direction, Refusal refusal) {
    statistics.refused(direction, refusal);
    Limit limit = refusal.limit();
    if (limit != null) {
      statistics.hit(limit);
    }
  }

  private static Audit withRequester(Audit line, @Nullable Requester requester) {
    return requester == null
        ? line
        : line.with("pid", requester.pid())
            .with("uid", requester.uid())
            .with("gid", requester.gid())
            .with("command", requester.command());
  }
}
