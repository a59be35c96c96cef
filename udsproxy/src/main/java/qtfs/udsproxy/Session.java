package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.Log;
import qtfs.linux.UnixSocket;

/**
 * One application's connection, relayed: a unix socket here, a channel to the peer's proxy there.
 *
 * <p>Each {@link ToPeer direction} {@link FromPeer ends} by itself: the end of the one is passed on
 * as the end of a stream and the other goes on, until both have ended or one side is gone
 * altogether. Owns the socket and the channel. All on the loop's thread.
 */
final class Session extends ChannelInboundHandlerAdapter
    implements Relay, FdWatch.Listener, PipeOwner {
  private final Shared shared;
  private final ProxyLoop loop;
  private final SessionEntry entry;
  private final Channel tcp;
  private final Fd unix;
  private final UnixSocket.Type type;
  private final FdWatch watch;
  private final ToPeer toPeer;
  private final FromPeer fromPeer;
  private final Runnable idleWatch;
  private boolean applicationGone;
  private boolean linkGone;
  private @Nullable String ending;
  private boolean startTold;
  private boolean closed;

  private Session(
      Shared shared, ProxyLoop loop, SessionEntry entry, Link link, Fd unix, UnixSocket.Type type) {
    this.shared = shared;
    this.loop = loop;
    this.entry = entry;
    this.tcp = link.tcp();
    this.unix = unix;
    this.linkGone = !tcp.isActive();
    this.type = type;
    if (type == UnixSocket.Type.SEQPACKET) {
      UnixSocket.stampMessages(unix);
    }
    this.watch = FdWatch.start(loop.eventLoop(), unix.number(), this);
    this.toPeer = new ToPeer(this, shared, loop, link, unix, type);
    this.fromPeer = new FromPeer(this, shared, loop, link, unix, type, watch);
    this.idleWatch = IdleWatch.start(shared, loop, entry, this::fail);
  }

  /**
   * Begins to relay, taking everything over.
   *
   * @param entry to be registered for as long as it lives
   * @param unix does not block
   * @param type of the unix socket
   */
  static void start(
      Shared shared, ProxyLoop loop, SessionEntry entry, Link link, Fd unix, UnixSocket.Type type) {
    Session session = new Session(shared, loop, entry, link, unix, type);
    shared.relays().add(session);
    shared.register().add(entry);
    if (link.dialect() == Dialect.V1 || entry.requester() != null) {
      session.tellStartSoon();
    }
    link.tcp().pipeline().addLast(session);
    if (link.ended() || session.linkGone) {
      session.fromPeer.end();
    }
    session.fromPeer.pump();
    if (entry.direction() == SessionInfo.Direction.OUTGOING) {
      session.toPeer.readable(false); // who has asked has most often something to say already
    }
  }

  String name() {
    return entry.name();
  }

  SessionEntry entry() {
    return entry;
  }

  boolean isClosed() {
    return closed;
  }

  /** The peer says who has asked. */
  void requestedBy(Requester who) throws ProtocolException {
    if (entry.requester() != null) {
      throw new ProtocolException("says again who has asked");
    }
    entry.requestedBy(who);
    tellStartSoon();
  }

  /** After what the loop is doing now: the first bytes do not wait for the log. */
  private void tellStartSoon() {
    loop.eventLoop().execute(this::tellStart);
  }

  /** Where the peer says who has asked, not before it has. */
  private void tellStart() {
    if (!startTold) {
      startTold = true;
      shared.audit().started(entry);
    }
  }

  /**
   * Whether the unix socket's other end is closed, with nobody left who could read. One that has
   * hung up after the peer's end was passed on may have been shut down from both sides only.
   */
  boolean isApplicationGone() {
    return applicationGone && !fromPeer.isDone();
  }

  /** The peer's side of the session is closed, and all that it has sent delivered. */
  void peerGone(int errno) {
    if (errno != 0) {
      because("the peer's side: " + Errno.message(errno));
    }
    close();
  }

  @Override
  public ProxyLoop loop() {
    return loop;
  }

  @Override
  public Channel tcp() {
    return tcp;
  }

  @Override
  public void ready(boolean readable, boolean writable, boolean ended, boolean hungUp) {
    applicationGone |= hungUp;
    if (writable) {
      fromPeer.writable();
    }
    if (readable) {
      toPeer.readable(ended);
    }
    closeIfDone();
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    if (!tcp.isWritable()) {
      shared.statistics().hit(Limit.MAX_BUFFERED);
    }
    toPeer.pump();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    fromPeer.add((ByteBuf) message);
    fromPeer.pump();
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof ChannelInputShutdownEvent) {
      fromPeer.end();
      fromPeer.pump();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    linkGone = true;
    fromPeer.end();
    fromPeer.pump();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    because("the link failed: " + cause.getMessage());
    ctx.close();
  }

  /** Ends the session if nothing can come any more. */
  void closeIfDone() {
    if (closed) {
      return;
    }
    if (fromPeer.isDone() && (linkGone || toPeer.isDone() || !knowsAnEnd())) {
      close();
    } else if (applicationGone && toPeer.isAtEnd() && !fromPeer.isDiscarding()) {
      toPeer.sendGone();
      fromPeer.discard();
      fromPeer.pump();
    }
  }

  /** A socket of datagrams has no end of its own: it ends with the peer's. */
  private boolean knowsAnEnd() {
    return type != UnixSocket.Type.DGRAM;
  }

  /** Notes why the session is going to end, for its last log line: the first cause is the one. */
  void because(String reason) {
    if (ending == null) {
      ending = reason;
    }
  }

  /** Ends the session at once. */
  void fail(String reason) {
    because(reason);
    close();
  }

  @Override
  public void pipeFailed(String reason) {
    loop.eventLoop()
        .execute(
            () -> {
              Log.warn(name() + ": " + reason);
              fail(reason);
            });
  }

  @Override
  public void abort() {
    fail("the proxy is stopping");
  }

  private void close() {
    if (closed) {
      return;
    }
    closed = true;
    shared.relays().remove(this);
    shared.register().remove(entry);
    idleWatch.run();
    watch.cancel();
    unix.close();
    fromPeer.release();
    toPeer.release();
    tcp.close();
    entry.close();
    loop.eventLoop().execute(this::tellEnd);
  }

  private void tellEnd() {
    tellStart();
    shared.audit().ended(entry, ending == null ? "closed" : ending);
  }
}
