package qtfs.udsproxy;

import org.jspecify.annotations.Nullable;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.Log;
import qtfs.linux.UnixSocket;

/**
 * A client of an {@link Exposures exposed} socket, from its connect to the session. Nothing is read
 * of it before the peer has connected. One that the peer refuses is closed, unread: it sees the end
 * of the stream, or ECONNRESET if it has sent something already. All on the loop's thread; owns the
 * client's connection until the session has it.
 */
final class ExposedClient implements PeerRequestor.Listener {
  private final Shared shared;
  private final ProxyLoop loop;
  private final Exposure exposure;
  private final Fd client;
  private final Requester who;
  private @Nullable PeerRequestor requestor;

  private ExposedClient(Shared shared, ProxyLoop loop, Exposure exposure, Fd client)
      throws LinuxException {
    this.shared = shared;
    this.loop = loop;
    this.exposure = exposure;
    this.client = client;
    this.who = Requester.local(UnixSocket.peerCredentials(client));
  }

  /**
   * Begins to serve a client.
   *
   * @param client does not block; taken over
   */
  static void start(Shared shared, ProxyLoop loop, Exposure exposure, Fd client) {
    loop.eventLoop()
        .execute(
            () -> {
              try {
                new ExposedClient(shared, loop, exposure, client).ask();
              } catch (LinuxException e) {
                client.close();
                Log.error("cannot serve a client of " + exposure.local() + ": " + e.getMessage());
              }
            });
  }

  private void ask() {
    shared.requestBegins();
    requestor = PeerRequestor.start(shared, loop, exposure.target(), this);
  }

  @Override
  public void connected() {
    PeerRequestor link = requestor;
    if (link == null) {
      throw new IllegalStateException("connected before it was asked for");
    }
    link.startSession(who, client);
    shared.requestEnds(loop);
  }

  @Override
  public void failed(String reason) {
    Log.warn(
        "not connected to "
            + exposure.target().path()
            + ", exposed at "
            + exposure.local()
            + ", for pid "
            + who.pid()
            + " uid "
            + who.uid()
            + ": "
            + reason);
    client.close();
    shared.requestEnds(loop);
  }
}
