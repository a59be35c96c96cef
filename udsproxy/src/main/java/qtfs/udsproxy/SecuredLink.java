package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Stands behind the TLS of a link, and tells the handlers after it what links without TLS tell: the
 * end of the peer's stream as the end of the channel, all else as a failure, in words. All on the
 * loop's thread.
 *
 * <p>TLS as we have it closes both directions at once. An end of TCP that TLS has not announced is
 * no end: anybody on the way could have made it.
 */
final class SecuredLink extends ChannelDuplexHandler {
  /** What the handlers behind are told, once. */
  enum Event {
    SECURED
  }

  private final Runnable whenSecured;
  private final @Nullable Consumer<String> whenRefused;
  private boolean secured;
  private boolean over; // closed by us, ended by the peer, or failed

  /**
   * Of a link that is being made.
   *
   * @param whenSecured called once the peer has shown who it is
   * @param whenRefused called, with the reason, if it has not; null: the handlers behind are told
   */
  SecuredLink(Runnable whenSecured, @Nullable Consumer<String> whenRefused) {
    this.whenSecured = whenSecured;
    this.whenRefused = whenRefused;
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    switch (event) {
      case SslHandshakeCompletionEvent handshake when handshake.isSuccess() -> {
        secured = true;
        whenSecured.run();
        ctx.fireUserEventTriggered(Event.SECURED);
      }
      case SslHandshakeCompletionEvent handshake -> fail(ctx, handshake.cause());
      case SslCloseCompletionEvent close when close.isSuccess() -> {
        over = true;
        ctx.close();
      }
      case SslCloseCompletionEvent _ -> {} // the channel's end tells
      case ChannelInputShutdownEvent _ -> cut(ctx);
      default -> ctx.fireUserEventTriggered(event);
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ByteBuf in = (ByteBuf) message;
    if (in.hasMemoryAddress()) {
      ctx.fireChannelRead(in);
    } else { // of the JDK's TLS, possibly; the relays want an address
      ByteBuf direct = ctx.alloc().directBuffer(in.readableBytes()).writeBytes(in);
      in.release();
      ctx.fireChannelRead(direct);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    cut(ctx);
    ctx.fireChannelInactive();
  }

  private void cut(ChannelHandlerContext ctx) {
    if (!over) {
      fail(
          ctx,
          secured
              ? new IOException("cut off: it ended without the end of TLS")
              : new ClosedChannelException());
    }
  }

  @Override
  public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
    over = true;
    ctx.close(promise);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    fail(ctx, cause);
  }

  private void fail(ChannelHandlerContext ctx, @Nullable Throwable cause) {
    if (!over) {
      over = true;
      if (secured || whenRefused == null) {
        ctx.fireExceptionCaught(new IOException(words(cause), cause));
      } else {
        whenRefused.accept(words(cause));
      }
      ctx.close();
    }
  }

  /** Never the peer's bytes, which some exceptions quote. */
  private String words(@Nullable Throwable thrown) {
    Throwable cause = thrown instanceof DecoderException ? thrown.getCause() : thrown;
    return switch (cause) {
      case NotSslRecordException _ -> "the peer speaks no TLS: give it the three --tls options too";
      case SslHandshakeTimeoutException _ -> "no TLS handshake in time";
      case ClosedChannelException _ when !secured ->
          "closed in the TLS handshake: has the peer the three --tls options, and does it trust"
              + " this host's certificate?";
      case null -> "TLS failed";
      default -> words(String.valueOf(deepest(cause).getMessage()));
    };
  }

  /** An alert is what the other side has sent. */
  private static String words(String message) {
    return message.toUpperCase(Locale.ROOT).contains("ALERT")
        ? "the peer has broken TLS off, and its log says why: " + message
        : "TLS: " + message;
  }

  private static Throwable deepest(Throwable thrown) {
    Throwable cause = thrown;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }
}
