package qtfs.udsproxy;

import io.netty.channel.IoEventLoop;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import qtfs.linux.Fd;
import qtfs.linux.Log;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
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

  /** A socket that is connected to, and whose connections are given to whoever waits. */
  private final class AcceptingStandIn implements StandIn {
    private final String path;
    private final UnixSocket.Type type;
    private final Acceptor acceptor;
    private final Queue<Waiting> waiting = new ArrayDeque<>();
    private final IdleTimer idleTimer = new IdleTimer(proxyLoop, LINGER, this::closeIfIdle);

    AcceptingStandIn(String path, UnixSocket.Type type) throws IOException {
      this.path = path;
      this.type = type;
      Path socket = Path.of(path + ConnectRequest.PROXY_SUFFIX);
      this.acceptor =
          Acceptor.start(
              loop, UnixListener.bind(socket, type, BACKLOG), this::applicationConnected);
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

    @Override
    public UnixSocket.Type type() {
      return type;
    }

    @Override
    public boolean isThere() {
      return acceptor.listener().isBound();
    }

    @Override
    public void await(Waiting connection, Requester asking) {
      waiting.add(connection);
    }

    @Override
    public boolean giveUp(Waiting connection) {
      boolean waited = waiting.remove(connection);
      if (waited) {
        closeSoonIfIdle();
      }
      return waited;
    }

    @Override
    public Queue<Waiting> waiting() {
      return waiting;
    }

    private void closeSoonIfIdle() {
      if (waiting.isEmpty()) {
        idleTimer.used();
      }
    }

    private void closeIfIdle() {
      if (waiting.isEmpty()) {
        close();
      }
    }

    @Override
    public void close() {
      if (standIns.remove(path, this)) {
        acceptor.close();
      }
    }
  }

  private final Shared shared;
  private final ProxyLoop proxyLoop;
  private final IoEventLoop loop;
  private final Map<String, StandIn> standIns = new HashMap<>();

  /** Those of datagrams, again, for any thread. */
  private final Map<String, DatagramStandIn> datagrams = new ConcurrentHashMap<>();

  StandIns(Shared shared, ProxyLoop loop) {
    this.shared = shared;
    this.proxyLoop = loop;
    this.loop = loop.eventLoop();
  }

  /**
   * Lets a connection wait for its application.
   *
   * @param asking who has asked for it
   */
  void await(ConnectRequest request, Requester asking, Waiting connection) {
    proxyLoop.run(
        () -> {
          try {
            standIn(request, asking).await(connection, asking);
            connection.listening();
          } catch (IOException e) {
            connection.failed(e);
          }
        });
  }

  /**
   * Whether an application that sends datagrams without an address of its own needs no connection
   * more: there is one for all of them.
   */
  boolean serves(ConnectRequest request) {
    DatagramStandIn known = datagrams.get(request.path());
    return request.type() == UnixSocket.Type.DGRAM && known != null && known.isServed();
  }

  private StandIn standIn(ConnectRequest request, Requester asking) throws IOException {
    String path = request.path();
    StandIn known = standIns.get(path);
    if (known != null && known.isThere() && known.type() == request.type()) {
      return known;
    }
    if (known != null && known.type() != request.type()) {
      known.close(); // the peer has the one type only by now
      known = null;
    }
    StandIn fresh = open(request, asking);
    if (known != null) {
      fresh.waiting().addAll(known.waiting());
      known.close();
    }
    standIns.put(path, fresh);
    return fresh;
  }

  private StandIn open(ConnectRequest request, Requester asking) throws IOException {
    if (request.type() != UnixSocket.Type.DGRAM) {
      return new AcceptingStandIn(request.path(), request.type());
    }
    Path socket = Path.of(request.path() + ConnectRequest.PROXY_SUFFIX);
    DatagramStandIn fresh =
        new DatagramStandIn(
            shared,
            proxyLoop,
            request,
            asking,
            UnixListener.bind(socket, UnixSocket.Type.DGRAM, 0),
            false,
            () -> {});
    datagrams.put(request.path(), fresh);
    return fresh;
  }

  /** One has closed itself. */
  void forget(String path, DatagramStandIn closed) {
    standIns.remove(path, closed);
    datagrams.remove(path, closed);
  }

  /** Takes back a connection that may still be waiting. */
  void giveUp(String path, Waiting connection) {
    proxyLoop.run(
        () -> {
          StandIn standIn = standIns.get(path);
          boolean ignored = standIn != null && standIn.giveUp(connection);
        });
  }

  /** Removes all sockets; on the loop. */
  void close() {
    Map.copyOf(standIns).values().forEach(StandIn::close);
  }
}
