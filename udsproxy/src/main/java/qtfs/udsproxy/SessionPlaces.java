package qtfs.udsproxy;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The places that there are for sessions. Who begins one takes a place and frees it when the
 * session has ended, or has not come about. For any thread.
 */
final class SessionPlaces {
  private final Limits limits;
  private final AtomicInteger taken = new AtomicInteger();
  private final AtomicInteger takenByPeer = new AtomicInteger();

  SessionPlaces(Limits limits) {
    this.limits = limits;
  }

  /** There is no place left. */
  static final class FullException extends Exception {
    private static final long serialVersionUID = 1L;

    private final Limit limit;

    FullException(Limit limit, int most) {
      super("there are " + most + " sessions, as many as " + limit.option() + " allows");
      this.limit = limit;
    }

    Limit limit() {
      return limit;
    }

    Refusal refusal() {
      return limit == Limit.MAX_SESSIONS ? Refusal.MAX_SESSIONS : Refusal.MAX_SESSIONS_PER_PEER;
    }
  }

  /** A place that has been taken, to be freed by its holder. */
  final class Place {
    private final SessionInfo.Direction direction;
    private final AtomicBoolean held = new AtomicBoolean(true);

    private Place(SessionInfo.Direction direction) {
      this.direction = direction;
    }

    /** Lets somebody else have it; again is harmless. */
    void free() {
      if (held.getAndSet(false)) {
        taken.decrementAndGet();
        if (direction == SessionInfo.Direction.INCOMING) {
          takenByPeer.decrementAndGet();
        }
      }
    }
  }

  Place take(SessionInfo.Direction direction) throws FullException {
    boolean byPeer = direction == SessionInfo.Direction.INCOMING;
    if (byPeer && !add(takenByPeer, limits.sessionsPerPeer())) {
      throw new FullException(Limit.MAX_SESSIONS_PER_PEER, limits.sessionsPerPeer());
    }
    if (!add(taken, limits.sessions())) {
      if (byPeer) {
        takenByPeer.decrementAndGet();
      }
      throw new FullException(Limit.MAX_SESSIONS, limits.sessions());
    }
    return new Place(direction);
  }

  private static boolean add(AtomicInteger count, int most) {
    return count.getAndUpdate(n -> n < most ? n + 1 : n) < most;
  }

  /** How many are taken. */
  int taken() {
    return taken.get();
  }
}
