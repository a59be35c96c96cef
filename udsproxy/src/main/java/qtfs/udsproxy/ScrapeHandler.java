package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.util.concurrent.ScheduledFuture;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import qtfs.udsproxy.metrics.ScrapeRequest;
import qtfs.udsproxy.metrics.ScrapeResponse;

/**
 * One HTTP connection for one {@code GET /metrics}: a request's head of at most {@value
 * ScrapeRequest#MAX_HEAD} bytes, one answer, then it is closed; all within {@value #SECONDS}
 * seconds. On its channel's loop.
 *
 * <p>No more of HTTP than that, so that neither a server nor its codec, 670 KiB of it, has to be
 * there in a daemon that starts in a moment.
 */
final class ScrapeHandler extends SimpleChannelInboundHandler<ByteBuf> {
  private static final int SECONDS = 10;

  private final MetricsExporter exporter;
  private final StringBuilder head = new StringBuilder();
  private boolean answering;
  private @Nullable ScheduledFuture<?> deadline;

  ScrapeHandler(MetricsExporter exporter) {
    this.exporter = exporter;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    deadline = ctx.executor().schedule((Runnable) ctx::close, SECONDS, TimeUnit.SECONDS);
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    if (deadline != null) {
      deadline.cancel(false);
    }
  }

  @Override
  protected void channelRead0(ChannelHandlerContext ctx, ByteBuf in) {
    if (answering) {
      return; // one request a connection
    }
    int room = Math.min(in.readableBytes(), ScrapeRequest.MAX_HEAD + 1 - head.length());
    head.append(in.readCharSequence(room, StandardCharsets.ISO_8859_1));
    int end = head.indexOf(ScrapeRequest.END);
    if (end >= 0) {
      answer(ctx, ScrapeRequest.parse(head.substring(0, end)));
    } else if (head.length() > ScrapeRequest.MAX_HEAD) {
      answer(ctx, ScrapeRequest.tooLarge());
    }
  }

  private void answer(ChannelHandlerContext ctx, ScrapeRequest request) {
    answering = true;
    switch (request) {
      case ScrapeRequest.Metrics(String accept) -> scrape(ctx, accept);
      case ScrapeRequest.Other(ScrapeResponse answer) -> respond(ctx, answer);
    }
  }

  private void scrape(ChannelHandlerContext ctx, String accept) {
    boolean accepted =
        exporter.scrape(accept, text -> ctx.executor().execute(() -> deliver(ctx, text)));
    if (!accepted) {
      respond(
          ctx, ScrapeResponse.plain("503 Service Unavailable", "too many want to know at once\n"));
    }
  }

  private void deliver(ChannelHandlerContext ctx, MetricsExporter.@Nullable Text text) {
    respond(
        ctx,
        text == null
            ? ScrapeResponse.plain("500 Internal Server Error", "see the log\n")
            : ScrapeResponse.ok(text.contentType(), text.body()));
  }

  private void respond(ChannelHandlerContext ctx, ScrapeResponse response) {
    ctx.writeAndFlush(Unpooled.wrappedBuffer(response.bytes()))
        .addListener(ChannelFutureListener.CLOSE);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    ctx.close(); // whoever asked has hung up
  }
}
