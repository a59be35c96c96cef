package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.util.List;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.UnixSocket;

/**
 * Sockets between the hosts: an application has passed a connected socket, and the application that
 * got the message has one of its own host instead. What goes through the two is a session like any
 * other, so descriptors may be passed through it again. On the loop's thread.
 */
final class SocketRelay {
  /**
   * How deep sockets may be passed through passed sockets: where both ends of one were, and one of
   * what came of them is passed through the other, it goes round, with one session more each time.
   */
  static final int MAX_DEPTH = 16;

  private final Shared shared;
  private final ProxyLoop loop;
  private final SessionEntry through;
  private final long token;
  private final Fd ours;
  private final SessionPlaces.Place place;
  private final int depth;

  private SocketRelay(
      Shared shared,
      ProxyLoop loop,
      SessionEntry through,
      long token,
      Fd ours,
      SessionPlaces.Place place,
      int depth) {
    this.shared = shared;
    this.loop = loop;
    this.through = through;
    this.token = token;
    this.ours = ours;
    this.place = place;
    this.depth = depth;
  }

  /**
   * The depth of a session for a socket passed through another session.
   *
   * @throws RefusedException if that is too deep
   */
  static int depthBehind(SessionEntry through) throws RefusedException {
    if (through.depth() == MAX_DEPTH) {
      throw new RefusedException(
          "a socket passed through " + MAX_DEPTH + " sockets, each passed through the next");
    }
    return through.depth() + 1;
  }

  /**
   * Makes the socket that stands in for one of the peer's host and connects it.
   *
   * @param through the session that it was passed through
   * @return the end to be passed on to the application, owned by the caller
   */
  static Fd fetch(Shared shared, ProxyLoop loop, SessionEntry through, FdFrame.Socket passed)
      throws IOException {
    int depth = depthBehind(through);
    SessionPlaces.Place place = place(shared, SessionInfo.Direction.OUTGOING);
    try {
      UnixSocket.Pair pair = pair(passed.flags());
      new SocketRelay(shared, loop, through, passed.token(), pair.second(), place, depth).connect();
      return pair.first();
    } catch (LinuxException e) {
      place.free();
      throw e;
    }
  }

  private static SessionPlaces.Place place(Shared shared, SessionInfo.Direction direction)
      throws RefusedException {
    try {
      return shared.places().take(direction);
    } catch (SessionPlaces.FullException e) {
      throw new RefusedException("a passed socket: " + e.getMessage());
    }
  }

  private static UnixSocket.Pair pair(int flags) throws LinuxException {
    UnixSocket.Pair pair = UnixSocket.pair();
    try {
      Fcntl.statusFlags(pair.first(), Fd.O_RDWR | (flags & Fd.O_NONBLOCK));
      return pair;
    } catch (LinuxException e) {
      pair.close();
      throw e;
    }
  }

  private void connect() {
    shared.requestBegins();
    shared.connectToPeer(loop, new ChannelInboundHandlerAdapter(), this::connected);
  }

  private void connected(ChannelFuture connected) {
    shared.requestEnds(loop);
    if (!connected.isSuccess()) {
      ours.close();
      place.free();
      shared
          .audit()
          .fdRefused(
              through,
              new RefusedException(
                  "a passed socket cannot be fetched: " + PeerRequestor.reason(connected.cause())));
      return;
    }
    Channel tcp = connected.channel();
    ByteBuf out = tcp.alloc().directBuffer(Frame.HEADER_LENGTH + PeerRequest.SOCKET_LENGTH);
    new PeerRequest.Socket(token).encode(out);
    tcp.writeAndFlush(out);
    Link link = new Link(tcp, Dialect.EXTENDED, List.of(), false);
    start(shared, loop, SessionInfo.Direction.OUTGOING, through.name(), link, ours, place, depth);
  }

  /**
   * Answers the peer's fetching of a socket that was passed here, taking everything over.
   *
   * @return begins the session, once nobody else reads the link
   * @throws RefusedException if there are too many sessions; the socket is closed then, and the
   *     link still the caller's
   */
  static Runnable serve(Shared shared, ProxyLoop loop, PassedFds.Socket kept, Link link)
      throws RefusedException {
    try {
      SessionPlaces.Place place = place(shared, SessionInfo.Direction.INCOMING);
      return () ->
          start(
              shared,
              loop,
              SessionInfo.Direction.INCOMING,
              kept.through(),
              link,
              kept.fd(),
              place,
              kept.depth());
    } catch (RefusedException e) {
      kept.fd().close();
      throw e;
    }
  }

  private static void start(
      Shared shared,
      ProxyLoop loop,
      SessionInfo.Direction direction,
      String through,
      Link link,
      Fd socket,
      SessionPlaces.Place place,
      int depth) {
    SessionEntry entry =
        new SessionEntry(
            shared.statistics(),
            direction,
            "a socket passed through " + through,
            null,
            link.tcp(),
            link.dialect(),
            place,
            depth);
    Session.start(shared, loop, entry, link, socket, UnixSocket.Type.STREAM);
  }
}
