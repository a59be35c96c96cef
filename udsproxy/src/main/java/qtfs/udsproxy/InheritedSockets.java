package qtfs.udsproxy;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.ListenFds;
import qtfs.linux.SocketFamily;
import qtfs.linux.SocketStatus;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;

/**
 * The sockets that the service manager has opened for a proxy, so that nobody is turned away while
 * it is started again: {@code requests}, in place of remote_uds.sock, and {@code link}, where the
 * peer connects to. Owns them until the proxy takes them.
 */
public final class InheritedSockets implements Closeable {
  private static final String REQUESTS = "requests";
  private static final String LINK = "link";

  private @Nullable Fd requests;
  private @Nullable Fd link;

  private InheritedSockets(@Nullable Fd requests, @Nullable Fd link) {
    this.requests = requests;
    this.link = link;
  }

  /** None: the proxy opens its own. */
  public static InheritedSockets none() {
    return new InheritedSockets(null, null);
  }

  /**
   * Those of this process; once, at its start.
   *
   * @throws StartException if one is not what its name says
   */
  public static InheritedSockets fromEnvironment() throws StartException {
    try (ListenFds fds = ListenFds.fromEnvironment()) {
      Optional<Fd> requests = fds.takeStream(REQUESTS, SocketFamily.UNIX);
      Optional<Fd> link =
          fds.takeStream(LINK, SocketFamily.INET, SocketFamily.INET6, SocketFamily.VSOCK);
      fds.requireNoMore(List.of(REQUESTS, LINK));
      return new InheritedSockets(requests.orElse(null), link.orElse(null));
    } catch (IOException e) {
      throw new StartException(e);
    }
  }

  /** Whether the proxy need not listen for the peer itself. */
  public boolean hasLink() {
    return link != null;
  }

  /** Hands the socket for local applications over. */
  Optional<UnixListener> takeRequests() throws LinuxException {
    Fd taken = requests;
    requests = null;
    return taken == null ? Optional.empty() : Optional.of(UnixListener.inherited(taken));
  }

  /**
   * Checks the socket for the peer, if there is one.
   *
   * @throws StartException if it is of another transport
   */
  void requireLink(Transport transport) throws StartException {
    if (link != null && isVsock(link) != (transport == Transport.VSOCK)) {
      throw new StartException(
          "the inherited socket \""
              + LINK
              + "\" is "
              + (isVsock(link) ? "vsock" : "TCP")
              + ", and the addresses are not: let the socket unit listen where they say");
    }
  }

  /** Hands the socket for the peer over. */
  Optional<Fd> takeLink() {
    Optional<Fd> taken = Optional.ofNullable(link);
    link = null;
    return taken;
  }

  private static boolean isVsock(Fd socket) throws StartException {
    try {
      return SocketStatus.of(socket.number())
          .isListening(SocketFamily.VSOCK, UnixSocket.Type.STREAM);
    } catch (LinuxException e) {
      throw new StartException(e);
    }
  }

  @Override
  public void close() {
    if (requests != null) {
      requests.close();
    }
    if (link != null) {
      link.close();
    }
  }
}
