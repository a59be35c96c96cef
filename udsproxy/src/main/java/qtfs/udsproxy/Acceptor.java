package qtfs.udsproxy;

import io.netty.channel.IoEventLoop;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.Log;
import qtfs.linux.UnixListener;

/**
 * Accepts the connections of a unix listener on an event loop. Out of descriptors, it says so once
 * and tries again until there are some. Owns the listener. All on the loop's thread.
 */
final class Acceptor implements FdWatch.Listener {
  private static final long RETRY_MILLIS = 100;

  private final IoEventLoop loop;
  private final UnixListener listener;
  private final Consumer<Fd> connections;
  private final FdWatch watch;
  private boolean failing;
  private boolean closed;

  private Acceptor(IoEventLoop loop, UnixListener listener, Consumer<Fd> connections) {
    this.loop = loop;
    this.listener = listener;
    this.connections = connections;
    this.watch = FdWatch.start(loop, listener.number(), this);
  }

  /**
   * Begins to accept.
   *
   * @param listener taken over
   * @param connections is given each connection, which does not block, and takes it over
   */
  static Acceptor start(IoEventLoop loop, UnixListener listener, Consumer<Fd> connections) {
    return new Acceptor(loop, listener, connections);
  }

  UnixListener listener() {
    return listener;
  }

  @Override
  public void ready(boolean readable, boolean writable, boolean ended, boolean hungUp) {
    if (!failing) { // else every new connection would start retries of its own
      acceptAll();
    }
  }

  private void acceptAll() {
    while (!closed) {
      int accepted = listener.accept(false);
      if (accepted >= 0) {
        connections.accept(Fd.own(accepted));
      } else if (accepted == -Errno.EAGAIN) {
        failing = false;
        return;
      } else {
        if (!failing) {
          failing = true;
          Log.error("cannot accept on " + listener.path() + ": " + Errno.message(-accepted));
        }
        loop.schedule(this::acceptAll, RETRY_MILLIS, TimeUnit.MILLISECONDS);
        return;
      }
    }
  }

  /** Stops, and removes the socket. */
  void close() {
    if (!closed) {
      closed = true;
      watch.cancel();
      listener.close();
    }
  }
}
