package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.util.Collection;
import qtfs.linux.Fd;
import qtfs.linux.Log;

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
  private final FdWatch watch;
  private final ToPeer toPeer;
  private final FromPeer fromPeer;
  private final Runnable idleWatch;
  private boolean applicationGone;
  private boolean linkGone;
  private String ending = "closed";
  private boolean closed;

  private Session(Shared shared, ProxyLoop loop, SessionEntry entry, Channel tcp, Fd unix) {
    this.shared = shared;
    this.loop = loop;
    this.entry = entry;
    this.tcp = tcp;
    this.unix = unix;
    this.linkGone = !tcp.isActive();
    this.watch = FdWatch.start(loop.eventLoop(), unix.number(), this);
    this.toPeer = new ToPeer(this, shared, loop, tcp, unix);
    this.fromPeer = new FromPeer(this, shared, loop, tcp, unix, watch);
    this.idleWatch = IdleWatch.start(shared, loop, entry, this::fail);
  }

  /**
   * Begins to relay, taking everything over.
   *
   * @param entry to be registered for as long as it lives
   * @param unix does not block
   * @param early what the peer has already sent
   * @param peerEnded whether the peer has already ended its stream
   */
  static void start(
      Shared shared,
      ProxyLoop loop,
      SessionEntry entry,
      Channel tcp,
      Fd unix,
      Collection<ByteBuf> early,
      boolean peerEnded) {
    Session session = new Session(shared, loop, entry, tcp, unix);
    shared.relays().add(session);
    shared.register().add(entry);
    shared.audit().started(entry);
    tcp.pipeline().addLast(session);
    early.forEach(session.fromPeer::add);
    if (peerEnded || session.linkGone) {
      session.fromPeer.end();
    }
    session.fromPeer.pump();
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
    if (fromPeer.isDone() && (linkGone || toPeer.isDone())) {
      close();
    } else if (applicationGone && toPeer.isAtEnd() && !fromPeer.isDiscarding()) {
      fromPeer.discard();
      fromPeer.pump();
    }
  }

  /** Notes why the session is going to end, for its last log line. */
  void because(String reason) {
    ending = reason;
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
    tcp.close();
    entry.close();
    shared.audit().ended(entry, ending);
  }
}
