package qtfs.udsproxy;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.ReferenceCountUtil;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A connection to the peer that is made ahead, while requests follow each other closely: the next
 * one need not wait for TCP, nor for TLS. One a loop, for {@link Deadlines#spare} at most, and only
 * to a peer that has shown to be one of ours: another one might serve no second connection before
 * the first.
 *
 * <p>It carries nothing until it is taken. One that ends before is forgotten without a word: if the
 * peer cannot be reached, the next request finds out by itself. All on the loop's thread.
 */
final class SpareLink {
  private final Shared shared;
  private final ProxyLoop loop;
  private final Duration life;
  private @Nullable Channel spare;
  private boolean ready;
  private long made; // System.nanoTime()
  private int madeWith; // which certificates
  private boolean welcome; // the peer is one of ours
  private long asked; // System.nanoTime()
  private boolean looks; // whether it has become too old

  SpareLink(Shared shared, ProxyLoop loop) {
    this.shared = shared;
    this.loop = loop;
    this.life = shared.deadlines().spare();
    this.asked = System.nanoTime() - life.toNanos();
  }

  /**
   * Gives the connection away.
   *
   * @param handler is put behind those of its transport
   * @return null if there is none
   */
  @Nullable Channel take(ChannelHandler handler) {
    Channel taken = spare;
    if (taken == null || !ready || !taken.isActive() || madeWith != shared.certificates()) {
      return null;
    }
    spare = null;
    taken.pipeline().remove(Idle.class);
    taken.pipeline().addLast(handler);
    return taken;
  }

  /** The peer has answered a request: as one of ours, or not. */
  void peerIs(Dialect agreed) {
    welcome = agreed == Dialect.EXTENDED;
  }

  /** A request is on its way: if they come close together, prepares for the next. */
  void prepare() {
    long before = asked;
    asked = System.nanoTime();
    boolean oneAfterTheOther = asked - before < life.toNanos();
    if (welcome && oneAfterTheOther && spare == null && !shared.isDraining()) {
      made = asked;
      madeWith = shared.certificates();
      ready = false;
      Idle idle = new Idle();
      ChannelFuture connecting = shared.connectToPeer(loop, idle);
      spare = connecting.channel();
      connecting.addListener((ChannelFutureListener) this::connected);
      lookIn(life.toNanos());
    }
  }

  private void connected(ChannelFuture connecting) {
    if (connecting.channel().equals(spare)) {
      ready = connecting.isSuccess();
      if (ready) {
        connecting.channel().read(); // also what TLS has to say
      } else {
        spare = null;
      }
    }
  }

  private void lookIn(long nanos) {
    if (!looks) {
      looks = true;
      loop.after(Duration.ofNanos(nanos).plusMillis(1), this::look);
    }
  }

  private void look() {
    looks = false;
    if (spare != null) {
      long left = made + life.toNanos() - System.nanoTime();
      if (left > 0) {
        lookIn(left);
      } else {
        close();
      }
    }
  }

  /** Closes it, if there is one. */
  void close() {
    Channel unused = spare;
    if (unused != null) {
      spare = null;
      unused.close();
    }
  }

  /** The handler of a connection that nobody uses. */
  private final class Idle extends ChannelInboundHandlerAdapter {
    /** The peer has nothing to say yet: this is not one of ours any more. */
    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      ReferenceCountUtil.release(message);
      ended(ctx);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
      if (event instanceof ChannelInputShutdownEvent) {
        ended(ctx);
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
      ended(ctx);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      ended(ctx);
    }

    private void ended(ChannelHandlerContext ctx) {
      if (ctx.channel().equals(spare)) {
        spare = null;
      }
      ctx.close();
    }
  }
}
