package qtfs.udsproxy;

import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import qtfs.linux.Fd;

/**
 * The pipe ends that applications have passed on and the peer has not asked for yet, each under a
 * token that cannot be guessed and is good once. For any thread.
 */
final class PassedPipes {
  /** A pipe end, the application's own, and the session that it came through. */
  record Kept(PipeEnd end, Fd fd, PipeOwner owner) {}

  private final SecureRandom random = new SecureRandom();
  private final Map<Integer, Kept> kept = new HashMap<>();

  /** Keeps a pipe end, taking it over, and returns its token: a positive number. */
  synchronized int keep(PipeEnd end, Fd fd, PipeOwner owner) {
    int token;
    do {
      token = random.nextInt(1, Integer.MAX_VALUE);
    } while (kept.containsKey(token));
    kept.put(token, new Kept(end, fd, owner));
    return token;
  }

  /** Hands a pipe end over to the caller, once. */
  synchronized Kept take(PipeEnd end, int token) throws RefusedException {
    Kept found = kept.get(token);
    if (found == null || found.end() != end) {
      throw new RefusedException(
          "asks for a pipe that was not passed, or is taken, or has expired");
    }
    kept.remove(token);
    return found;
  }

  /** Closes a pipe end that nobody has asked for. Returns whether it was still there. */
  synchronized boolean expire(int token) {
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
    all.forEach(pipe -> pipe.fd().close());
  }

  synchronized int size() {
    return kept.size();
  }
}
