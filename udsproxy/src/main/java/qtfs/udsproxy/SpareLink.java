package qtfs.udsproxy;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.ReferenceCountUtil;
import org.jspecify.annotations.Nullable;

/**
 * A connection to the peer that is made ahead, while requests follow each other closely: the next
 * one need not wait for TCP, nor for TLS. One a loop, for {@link Deadlines#spare} once it is ready,
 * and only to a peer that has shown to be one of ours: another one might serve no second connection
 * before the first.
 *
 * <p>It carries nothing until it is taken. One that ends before is forgotten without a word: if the
 * peer cannot be reached, the next request finds out by itself. All on the loop's thread.
 */
final class SpareLink {
  private final Shared shared;
  private final ProxyLoop loop;
  private final long life; // ns
  private final IdleTimer age;
  private @Nullable Unused spare;
  private boolean welcome; // the peer is one of ours
  private long asked; // System.nanoTime()

  SpareLink(Shared shared, ProxyLoop loop) {
    this.shared = shared;
    this.loop = loop;
    this.life = shared.deadlines().spare().toNanos();
    this.age = new IdleTimer(loop, shared.deadlines().spare(), this::closeIfReady);
    this.asked = System.nanoTime() - life;
  }

  /**
   * Gives the connection away.
   *
   * @param handler is put behind those of its transport
   * @return null if there is none
   */
  @Nullable Channel take(ChannelHandler handler) {
    Unused unused = spare;
    Channel channel = unused == null ? null : unused.channelIfGood();
    if (unused == null || channel == null) {
      return null;
    }
    spare = null;
    channel.pipeline().remove(unused);
    channel.pipeline().addLast(handler);
    return channel;
  }

  /** The peer has answered a request: as one of ours, or not. */
  void peerIs(Dialect agreed) {
    welcome = agreed == Dialect.EXTENDED;
  }

  /** A request is on its way: if they come close together, prepares for the next. */
  void prepare() {
    long before = asked;
    asked = System.nanoTime();
    boolean oneAfterTheOther = asked - before < life;
    if (welcome && oneAfterTheOther && spare == null && !shared.isDraining()) {
      Unused unused = new Unused(shared.certificates());
      spare = unused;
      shared.connectToPeer(loop, unused, unused::connected);
    }
  }

  /** Closes it, if there is one. */
  void close() {
    Unused unused = spare;
    if (unused != null) {
      unused.close();
    }
  }

  /** One that is still being made has its time before it. */
  private void closeIfReady() {
    Unused unused = spare;
    if (unused != null && unused.ready) {
      unused.close();
    }
  }

  /** The connection, and its last handler, while nobody uses it. */
  private final class Unused extends ChannelInboundHandlerAdapter {
    private final int certificates;
    private @Nullable Channel channel;
    private boolean ready;

    Unused(int certificates) {
      this.certificates = certificates;
    }

    @Nullable Channel channelIfGood() {
      boolean good = ready && certificates == shared.certificates();
      return good && channel != null && channel.isActive() ? channel : null;
    }

    void connected(ChannelFuture connecting) {
      if (!connecting.isSuccess()) {
        forget();
      } else if (spare != this) {
        connecting.channel().close();
      } else {
        channel = connecting.channel();
        channel.read(); // also what TLS has to say
        if (shared.tls() == null) {
          becomeReady();
        }
      }
    }

    private void becomeReady() {
      ready = true;
      age.used();
    }

    void close() {
      forget();
      if (channel != null) {
        channel.close();
      }
    }

    private void forget() {
      if (spare == this) {
        spare = null;
      }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
      if (event instanceof ChannelInputShutdownEvent) {
        close();
      } else if (event == SecuredLink.Event.SECURED) {
        becomeReady();
      }
    }

    /** The peer has nothing to say yet: this is not one of ours any more. */
    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      ReferenceCountUtil.release(message);
      close();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
      forget();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      ctx.close();
      forget();
    }
  }
}
