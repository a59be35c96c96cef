package qtfs.rexec;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import qtfs.linux.ClassPath;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.LockFile;
import qtfs.linux.Log;
import qtfs.linux.Pipe;
import qtfs.linux.Poll;
import qtfs.linux.RunDirectory;
import qtfs.linux.UnixListener;

/**
 * The listening socket of rexec_server and the loop that takes its connections, a thread for each.
 * Holds the lock of its run directory. More requests than allowed at once wait in the backlog.
 */
final class Server implements Closeable {
  private static final int BACKLOG = 1024;
  private static final Duration STOP_LIMIT = Duration.ofMillis(500);
  private static final Duration RETRY = Duration.ofMillis(100);

  private final Path runDir;
  private final LockFile lock;
  private final UnixListener listener;
  private final ServerContext context;
  private final Semaphore free;
  private final Semaphore confirming; // connections whose programs have ended
  private final Pipe stop;
  private final Thread accepting;

  private Server(
      Path runDir,
      LockFile lock,
      UnixListener listener,
      ServerContext context,
      int maxRequests,
      Pipe stop) {
    this.runDir = runDir;
    this.lock = lock;
    this.listener = listener;
    this.context = context;
    this.free = new Semaphore(maxRequests);
    this.confirming = new Semaphore(maxRequests);
    this.stop = stop;
    this.accepting = new Thread(this::acceptAll, "accept");
  }

  /** Another server has the run directory. */
  static final class InUseException extends IOException {
    private static final long serialVersionUID = 1L;

    InUseException(Path runDir) {
      super("another rexec_server runs in " + runDir);
    }
  }

  /**
   * Takes a run directory, clears it of what a killed server has left, and starts to accept.
   *
   * @param runDir made if it is missing, mode 0700; the context's
   */
  static Server start(Path runDir, ServerContext context, int maxRequests) throws IOException {
    return start(runDir, context, maxRequests, Optional.empty());
  }

  /**
   * The same with a listening socket of somebody else's.
   *
   * @param inherited taken over
   */
  static Server start(Path runDir, ServerContext context, int maxRequests, Optional<Fd> inherited)
      throws IOException {
    RunDirectory.prepare(runDir);
    LockFile lock =
        LockFile.tryAcquire(runDir.resolve("rexec_uds.lock"))
            .orElseThrow(() -> new InUseException(runDir));
    try {
      Orphans.sweep(runDir);
      context.running().adopt();
      UnixListener listener =
          inherited.isPresent()
              ? UnixListener.inherited(inherited.get())
              : UnixListener.bind(runDir.resolve("rexec_uds.sock"), BACKLOG);
      ClassPath.openJars();
      Server server = new Server(runDir, lock, listener, context, maxRequests, Pipe.open());
      server.accepting.start();
      return server;
    } catch (IOException e) {
      lock.close();
      throw e;
    }
  }

  private void acceptAll() {
    boolean complained = false;
    while (true) {
      if (!free.tryAcquire()) {
        context.metrics().reached(Limit.PROGRAMS);
        free.acquireUninterruptibly();
      }
      int[] events = Poll.readable(Deadline.FOREVER, listener.number(), stop.read().number());
      if (events[1] != 0) {
        return;
      }
      int result = listener.accept(true);
      if (result >= 0) {
        complained = false;
        serve(Fd.own(result));
        continue;
      }
      free.release();
      if (result != -Errno.EAGAIN && !complained) {
        complained = true;
        Log.error("cannot accept connections: " + Errno.message(-result) + "; trying on");
      }
      if (result != -Errno.EAGAIN) {
        awaitChange();
      }
    }
  }

  /**
   * What a connection takes up: one of the places for requests, and one of as many others when its
   * program has ended, if any is free. For the session's thread.
   */
  private final class Place {
    private Semaphore held = free;

    void served() {
      if (confirming.tryAcquire()) {
        held.release();
        held = confirming;
      }
    }

    void leave() {
      held.release();
    }
  }

  private void serve(Fd connection) {
    Place place = new Place();
    Session session = new Session(context, connection, place::served);
    try {
      Thread thread =
          new Thread(
              () -> {
                try {
                  session.run();
                } finally {
                  place.leave();
                }
              },
              "session");
      thread.setDaemon(true);
      thread.start();
    } catch (OutOfMemoryError e) {
      // What the JVM says when the system gives it no thread.
      Log.error("no thread for a connection: " + e.getMessage());
      connection.close();
      free.release();
    }
  }

  /** Waits for something to be freed, without spinning over an error that stays. */
  private void awaitChange() {
    Poll.readable(RETRY, stop.read());
  }

  /** Whether connections are accepted. */
  boolean isAccepting() {
    return accepting.isAlive();
  }

  /** Takes no more connections. Idempotent. */
  void stopAccepting() {
    if (!stop.write().isOpen()) {
      return;
    }
    stop.write().close();
    try {
      // A loop that waits for a free place sees nothing of this, and harms nobody.
      boolean ignored = accepting.join(STOP_LIMIT);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    listener.close();
  }

  /** Ends the server and leaves its programs running, for the next one to list. */
  void leave() throws IOException {
    stopAccepting();
    context.children().leavePrograms();
    Orphans.sweepFiles(runDir);
    lock.close();
  }

  /** Ends the server: no more connections, and no program left. Idempotent. */
  @Override
  public void close() {
    stopAccepting();
    if (lock.fd().isOpen()) {
      context.children().close();
      context.running().endAll();
      lock.close();
    }
  }
}
