package qtfs.udsproxy;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Errno;
import qtfs.linux.Fd;

/**
 * Finds the receiver of a session's datagrams again, which has refused one: a program that was
 * started anew has another socket at the same path. Once for each datagram that arrives. The path
 * is judged and opened on a thread of its own, as at the first time; all else on the loop's thread.
 */
final class LostReceiver {
  private final Session session;
  private final Shared shared;
  private final ProxyLoop loop;
  private final Fd unix;
  private final Runnable found;
  private boolean tried;
  private boolean seeking;

  /**
   * For one session.
   *
   * @param found called when {@link #isSought} is over and the datagram may be sent once more
   */
  LostReceiver(Session session, Shared shared, ProxyLoop loop, Fd unix, Runnable found) {
    this.session = session;
    this.shared = shared;
    this.loop = loop;
    this.unix = unix;
    this.found = found;
  }

  /** Whether nothing can be sent because of it. */
  boolean isSought() {
    return seeking;
  }

  /** A datagram has arrived. */
  void isThere() {
    tried = false;
  }

  /** Begins to look for it; false if this datagram has been refused twice. */
  boolean seek() {
    if (tried) {
      return false;
    }
    tried = true;
    seeking = true;
    String path = session.entry().path();
    shared.fileOpener().execute(() -> open(path));
    return true;
  }

  private void open(String path) {
    try {
      Fd target = shared.openTarget(path);
      loop.eventLoop().execute(() -> connect(target));
    } catch (IOException e) {
      loop.eventLoop().execute(() -> fail(e.getMessage()));
    }
  }

  private void connect(Fd target) {
    if (session.isClosed()) {
      target.close();
      return;
    }
    int result = Reach.connect(unix, target);
    target.close();
    if (result < 0) {
      fail(Errno.message(-result));
      return;
    }
    seeking = false;
    found.run();
  }

  private void fail(@Nullable String why) {
    session.fail("the receiver has gone: " + why);
  }
}
