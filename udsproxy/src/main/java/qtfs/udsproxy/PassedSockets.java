package qtfs.udsproxy;

import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import qtfs.linux.Fd;

/**
 * The sockets that applications have passed on and the peer has not asked for yet, each under a
 * token that cannot be guessed and is good once. For any thread.
 */
final class PassedSockets {
  /**
   * A socket, the application's own.
   *
   * @param through the name of the session that it was passed through
   */
  record Kept(Fd fd, String through) {}

  private final SecureRandom random = new SecureRandom();
  private final Map<Long, Kept> kept = new HashMap<>();

  /** Keeps a socket, taking it over, and returns its token. */
  synchronized long keep(Fd fd, String through) {
    long token;
    do {
      token = random.nextLong();
    } while (kept.containsKey(token));
    kept.put(token, new Kept(fd, through));
    return token;
  }

  /** Hands a socket over to the caller, once. */
  synchronized Kept take(long token) throws RefusedException {
    Kept found = kept.remove(token);
    if (found == null) {
      throw new RefusedException(
          "asks for a socket that was not passed, or is taken, or has expired");
    }
    return found;
  }

  /** Closes a socket that nobody has asked for. Returns whether it was still there. */
  synchronized boolean expire(long token) {
    Kept expired = kept.remove(token);
    if (expired == null) {
      return false;
    }
    expired.fd().close();
    return true;
  }

  /** Closes all. */
  synchronized void close() {
    List<Kept> all = new ArrayList<>(kept.values());
    kept.clear();
    all.forEach(socket -> socket.fd().close());
  }

  synchronized int size() {
    return kept.size();
  }
}
