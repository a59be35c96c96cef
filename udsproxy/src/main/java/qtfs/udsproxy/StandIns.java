package qtfs.udsproxy;

import io.netty.channel.IoEventLoop;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import qtfs.linux.Fd;
import qtfs.linux.Log;
import qtfs.linux.UnixListener;
import qtfs.udsproxy.connector.ConnectRequest;

/**
 * The sockets {@code <path>.proxy}, where applications are given the connections that they have
 * asked for. One listener a path, shared by all who wait for that path at once: whoever connects
 * gets any of the connections that wait. It stands there only while somebody waits.
 *
 * <p>Lives on one loop; its methods may be called from any.
 */
final class StandIns {
  private static final int BACKLOG = 1024;
  private static final Duration LINGER = Duration.ofSeconds(1);

  /** A connection to the peer that waits for its application. Called on the stand-ins' loop. */
  interface Waiting {
    /** The socket is there, the application may connect. */
    void listening();

    /** There can be no socket for this path. */
    void failed(IOException reason);

    /** The application has connected; its descriptor, which does not block, is handed over. */
    void pair(Fd application);
  }

  private final class StandIn {
    private final String path;
    private final Acceptor acceptor;
    private final Queue<Waiting> waiting = new ArrayDeque<>();
    private long idleSince;

    StandIn(String path) throws IOException {
      this.path = path;
      Path socket = Path.of(path + ConnectRequest.PROXY_SUFFIX);
      this.acceptor =
          Acceptor.start(loop, UnixListener.bind(socket, BACKLOG), this::applicationConnected);
    }

    private void applicationConnected(Fd application) {
      Waiting connection = waiting.poll();
      if (connection == null) {
        Log.warn("nobody has asked for the connection made to " + path + ".proxy");
        application.close();
      } else {
        connection.pair(application);
        closeSoonIfIdle();
      }
    }

    /** Whether applications find it: somebody may have removed the socket. */
    boolean isThere() {
      return acceptor.listener().isBound();
    }

    void closeSoonIfIdle() {
      if (waiting.isEmpty()) {
        idleSince = System.nanoTime();
        loop.schedule(this::closeIfIdle, LINGER.toMillis(), TimeUnit.MILLISECONDS);
      }
    }

    private void closeIfIdle() {
      if (waiting.isEmpty() && System.nanoTime() - idleSince >= LINGER.toNanos()) {
        close();
      }
    }

    void close() {
      if (standIns.remove(path, this)) {
        acceptor.close();
      }
    }
  }

  private final IoEventLoop loop;
  private final Map<String, StandIn> standIns = new HashMap<>();

  StandIns(IoEventLoop loop) {
    this.loop = loop;
  }

  /** Lets a connection wait for its application. */
  void await(String path, Waiting connection) {
    onLoop(
        () -> {
          try {
            standIn(path).waiting.add(connection);
            connection.listening();
          } catch (IOException e) {
            connection.failed(e);
          }
        });
  }

  private StandIn standIn(String path) throws IOException {
    StandIn known = standIns.get(path);
    if (known != null && known.isThere()) {
      return known;
    }
    StandIn fresh = new StandIn(path);
    if (known != null) {
      fresh.waiting.addAll(known.waiting);
      known.close();
    }
    standIns.put(path, fresh);
    return fresh;
  }

  /** Takes back a connection that may still be waiting. */
  void giveUp(String path, Waiting connection) {
    onLoop(
        () -> {
          StandIn standIn = standIns.get(path);
          if (standIn != null && standIn.waiting.remove(connection)) {
            standIn.closeSoonIfIdle();
          }
        });
  }

  private void onLoop(Runnable task) {
    if (loop.inEventLoop()) {
      task.run();
    } else {
      loop.execute(task);
    }
  }

  /** Removes all sockets; on the loop. */
  void close() {
    Map.copyOf(standIns).values().forEach(StandIn::close);
  }
}
