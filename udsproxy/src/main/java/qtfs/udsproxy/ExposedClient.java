package qtfs.udsproxy;

import org.jspecify.annotations.Nullable;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.Log;

/**
 * A client of an {@link Exposures exposed} socket, from its connect to the session. Nothing is read
 * of it before the peer has connected. One that the peer refuses is closed, unread: it sees the end
 * of the stream, or ECONNRESET if it has sent something already. All on the loop's thread; owns the
 * client's connection until the session has it.
 */
final class ExposedClient implements PeerRequestor.Listener {
  private final Shared shared;
  private final Exposure exposure;
  private final Fd client;
  private final LocalRequester who;
  private @Nullable PeerRequestor requestor;

  private ExposedClient(Shared shared, Exposure exposure, Fd client) throws LinuxException {
    this.shared = shared;
    this.exposure = exposure;
    this.client = client;
    this.who = LocalRequester.at(client);
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
                ExposedClient started = new ExposedClient(shared, exposure, client);
                started.requestor = PeerRequestor.start(shared, loop, exposure.target(), started);
                Requester _ =
                    started.who.get(); // while the peer connects, and the client is still there
              } catch (LinuxException e) {
                client.close();
                Log.error("cannot serve a client of " + exposure.local() + ": " + e.getMessage());
              }
            });
  }

  @Override
  public void connected() {
    PeerRequestor link = requestor;
    if (link == null) {
      throw new IllegalStateException("connected before it was asked for");
    }
    link.startSession(who.get(), client);
  }

  @Override
  public void failed(Refusal refusal, String detail) {
    client.close();
    shared.audit().refused(exposure.target().path(), who.get(), refusal, detail);
  }
}
