package qtfs.udsproxy;

import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import qtfs.linux.Fd;

/**
 * The descriptors of one kind that applications have passed on and the peer has not asked for yet,
 * each under a token that cannot be guessed and is good once. For any thread.
 */
final class PassedFds<K extends PassedFds.Kept> {
  /** What is kept: a descriptor, the application's own, and what its fetching needs. */
  sealed interface Kept {
    Fd fd();
  }

  /** A pipe end, and the session that it came through. */
  record Pipe(PipeEnd end, Fd fd, PipeOwner owner) implements Kept {}

  /**
   * A connected socket.
   *
   * @param through the name of the session that it was passed through
   * @param depth of the session that it will have, see {@link SessionEntry#depth}
   */
  record Socket(Fd fd, String through, int depth) implements Kept {}

  private final String kind;
  private final ToLongFunction<SecureRandom> tokens;
  private final SecureRandom random = new SecureRandom();
  private final Map<Long, K> kept = new HashMap<>();
  private final Map<Long, Future<?>> expiries = new HashMap<>();

  private PassedFds(String kind, ToLongFunction<SecureRandom> tokens) {
    this.kind = kind;
    this.tokens = tokens;
  }

  /**
   * For pipe ends, whose tokens are positive i32 numbers: the deployed daemon's are descriptors.
   */
  static PassedFds<Pipe> pipes() {
    return new PassedFds<>("pipe", random -> random.nextInt(1, Integer.MAX_VALUE));
  }

  /** For sockets, whose tokens are any i64 numbers. */
  static PassedFds<Socket> sockets() {
    return new PassedFds<>("socket", SecureRandom::nextLong);
  }

  /** Keeps a descriptor, taking it over, and returns its token. */
  synchronized long keep(K passed) {
    long token;
    do {
      token = tokens.applyAsLong(random);
    } while (kept.containsKey(token));
    kept.put(token, passed);
    return token;
  }

  /** Cancels that with the keeping: a timer holds all that its task knows until it is over. */
  synchronized void expires(long token, Future<?> expiry) {
    if (kept.containsKey(token)) {
      expiries.put(token, expiry);
    } else {
      expiry.cancel(false);
    }
  }

  /**
   * Hands a descriptor over to the caller, once.
   *
   * @param fits whether it is what was asked for; if not it stays, for who asks rightly
   */
  synchronized K take(long token, Predicate<K> fits) throws RefusedException {
    K found = kept.get(token);
    if (found == null || !fits.test(found)) {
      throw new RefusedException(
          "asks for a " + kind + " that was not passed, or is taken, or has expired");
    }
    kept.remove(token);
    Future<?> expiry = expiries.remove(token);
    if (expiry != null) {
      expiry.cancel(false);
    }
    return found;
  }

  /** Closes a descriptor that nobody has asked for. Returns whether it was still there. */
  synchronized boolean expire(long token) {
    K expired = kept.remove(token);
    expiries.remove(token);
    if (expired == null) {
      return false;
    }
    expired.fd().close();
    return true;
  }

  /** Closes all. */
  synchronized void close() {
    List<K> all = new ArrayList<>(kept.values());
    kept.clear();
    expiries.values().forEach(expiry -> expiry.cancel(false));
    expiries.clear();
    all.forEach(passed -> passed.fd().close());
  }

  synchronized int size() {
    return kept.size();
  }
}
