package qtfs.udsproxy;

import io.netty.channel.IoEventLoop;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import qtfs.linux.Fd;
import qtfs.linux.Log;
import qtfs.linux.UnixListener;

/**
 * The sockets of this host that lead to sockets of the peer without anybody having asked: each
 * client becomes a session of its own. Owns the sockets. All on the first loop's thread, where they
 * accept; the clients are spread over all.
 */
final class Exposures {
  private static final int BACKLOG = 4096;

  private final Shared shared;
  private final Map<Path, Exposed> exposed = new HashMap<>();
  private boolean closed;

  Exposures(Shared shared) {
    this.shared = shared;
  }

  /**
   * A socket that is there, as of now.
   *
   * @param clients that have connected to it so far; of datagrams, addresses that have sent some
   * @param reachable whether its path still leads to it: others may remove or replace the file
   */
  record Status(Exposure exposure, Instant since, long clients, boolean reachable) {}

  /** One socket. */
  private final class Exposed {
    private final Exposure exposure;
    private final UnixListener listener;
    private final Runnable closing;
    private final Instant since = Instant.now();
    private long clients;

    Exposed(Exposure exposure) throws IOException {
      this.exposure = exposure;
      this.listener = UnixListener.bind(exposure.local(), exposure.target().type(), BACKLOG);
      try {
        listener.grant(exposure.mode(), exposure.owner(), exposure.group());
      } catch (IOException e) {
        listener.close();
        throw e;
      }
      this.closing =
          switch (exposure.target().type()) {
            case STREAM, SEQPACKET -> accept();
            case DGRAM -> receive();
          };
      shared.exposed().add(listener);
    }

    private Runnable accept() {
      IoEventLoop loop = shared.loops().get(0).eventLoop();
      return Acceptor.start(loop, listener, this::clientConnected)::close;
    }

    private void clientConnected(Fd client) {
      clients++;
      ExposedClient.start(shared, shared.chooseLoop(), exposure, client);
    }

    /** Datagrams do not tell who has sent them: on the peer it is this daemon. */
    private Runnable receive() {
      Requester self = Requester.self();
      return new DatagramStandIn(
              shared,
              shared.loops().get(0),
              exposure.target(),
              self,
              listener,
              true,
              () -> clients++)
          ::close;
    }

    Status status() {
      return new Status(exposure, since, clients, listener.isBound());
    }

    void close() {
      shared.exposed().remove(listener);
      closing.run();
    }
  }

  /**
   * Begins to lead clients to the peer.
   *
   * @throws IOException with one line that says what is in the way
   */
  void add(Exposure exposure) throws IOException {
    Path local = exposure.local();
    if (closed) {
      throw new IOException("cannot expose at " + local + ": the daemon takes no new sessions");
    }
    Exposed known = exposed.get(local);
    if (known != null) {
      if (known.listener.isBound()) {
        throw new IOException(local + " is exposed already: unexpose it first");
      }
      known.close();
      exposed.remove(local);
    }
    requirePlace(exposure);
    exposed.put(local, new Exposed(exposure));
    Log.info("exposed: " + exposure.target().path() + " of the peer, at " + local);
  }

  /** Requires that the socket has a directory; needs no daemon. */
  static void requirePlace(Exposure exposure) throws IOException {
    Path local = exposure.local();
    if (!Files.isDirectory(local.resolveSibling("."))) {
      throw new IOException(
          "cannot expose at " + local + ": make the directory " + local.getParent() + " first");
    }
  }

  /**
   * Takes no more clients at a path; those that there are stay. False if nothing is exposed there.
   */
  boolean remove(Path local) {
    Exposed known = exposed.remove(local);
    if (known == null) {
      return false;
    }
    known.close();
    Log.info(
        "not exposed any more: " + known.exposure.target().path() + " of the peer, at " + local);
    return true;
  }

  /** What is exposed, by path. */
  List<Status> list() {
    return exposed.values().stream()
        .map(Exposed::status)
        .sorted(Comparator.comparing(status -> status.exposure().local()))
        .toList();
  }

  int size() {
    return exposed.size();
  }

  /** Removes all the sockets, and takes no others. */
  void close() {
    closed = true;
    exposed.values().forEach(Exposed::close);
    exposed.clear();
  }
}
