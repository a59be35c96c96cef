package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.util.concurrent.ScheduledFuture;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP connection for one {@code GET /metrics}: a request's head of at most {@value #MAX_HEAD}
 * bytes, one answer, then it is closed; all within {@value #SECONDS} seconds. On its channel's
 * loop.
 *
 * <p>No more of HTTP than that, so that neither a server nor its codec, 670 KiB of it, has to be
 * there in a daemon that starts in a moment.
 */
final class ScrapeHandler extends SimpleChannelInboundHandler<ByteBuf> {
  private static final int MAX_HEAD = 8192;
  private static final int SECONDS = 10;
  private static final String PLAIN = "text/plain; charset=utf-8";

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
    int room = Math.min(in.readableBytes(), MAX_HEAD + 1 - head.length());
    head.append(in.readCharSequence(room, StandardCharsets.ISO_8859_1));
    int end = head.indexOf("\r\n\r\n");
    if (end >= 0) {
      answering = true;
      answer(ctx, head.substring(0, end).split("\r\n"));
    } else if (head.length() > MAX_HEAD) {
      answering = true;
      respond(ctx, "431 Request Header Fields Too Large", "more than " + MAX_HEAD + " bytes\n");
    }
  }

  private void answer(ChannelHandlerContext ctx, String[] lines) {
    String[] request = lines[0].split(" ");
    if (request.length != 3 || !request[2].startsWith("HTTP/1.")) {
      respond(ctx, "400 Bad Request", "this speaks HTTP/1.1\n");
    } else if (!request[0].equals("GET")) {
      respond(ctx, "405 Method Not Allowed", "GET is all there is\n");
    } else if (!request[1].equals("/metrics") && !request[1].startsWith("/metrics?")) {
      respond(ctx, "404 Not Found", "it is at /metrics\n");
    } else {
      scrape(ctx, header(lines, "accept"));
    }
  }

  private static String header(String[] lines, String name) {
    for (String line : lines) {
      if (line.toLowerCase(Locale.ROOT).startsWith(name + ":")) {
        return line.substring(name.length() + 1).strip();
      }
    }
    return "";
  }

  private void scrape(ChannelHandlerContext ctx, String accept) {
    boolean accepted =
        exporter.scrape(accept, text -> ctx.executor().execute(() -> deliver(ctx, text)));
    if (!accepted) {
      respond(ctx, "503 Service Unavailable", "too many want to know at once\n");
    }
  }

  private void deliver(ChannelHandlerContext ctx, MetricsExporter.@Nullable Text text) {
    if (text == null) {
      respond(ctx, "500 Internal Server Error", "see the log\n");
    } else {
      respond(ctx, "200 OK", text.contentType(), text.body());
    }
  }

  private void respond(ChannelHandlerContext ctx, String status, String text) {
    respond(ctx, status, PLAIN, text);
  }

  private void respond(ChannelHandlerContext ctx, String status, String contentType, String text) {
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    String header =
        "HTTP/1.1 "
            + status
            + "\r\nContent-Type: "
            + contentType
            + "\r\nContent-Length: "
            + body.length
            + "\r\nConnection: close\r\n\r\n";
    ctx.writeAndFlush(Unpooled.wrappedBuffer(header.getBytes(StandardCharsets.US_ASCII), body))
        .addListener(ChannelFutureListener.CLOSE);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    ctx.close(); // whoever asked has hung up
  }
}
