package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Queue;
import qtfs.linux.Errno;
import qtfs.linux.Fd;

/**
 * The half of a passed pipe where the bytes go in on this host: writes what the peer sends, raw.
 * When all readers here have gone, the channel is closed, and the peer closes its read end. Owns
 * the write end and the channel. All on the loop's thread.
 */
final class PipeSink extends ChannelInboundHandlerAdapter implements Relay, FdWatch.Listener {
  private final Shared shared;
  private final ProxyLoop loop;
  private final Channel tcp;
  private final Fd pipe;
  private final FdWatch watch;
  private final Queue<ByteBuf> inbound = new ArrayDeque<>();
  private boolean full;
  private boolean ended;
  private boolean closed;

  private PipeSink(Shared shared, ProxyLoop loop, Channel tcp, Fd pipe) {
    this.shared = shared;
    this.loop = loop;
    this.tcp = tcp;
    this.pipe = pipe;
    this.watch = FdWatch.start(loop.eventLoop(), pipe.number(), this);
  }

  /**
   * Begins to relay, taking everything over.
   *
   * @param pipe a write end that does not block
   * @param early what the peer has already sent
   */
  static void start(
      Shared shared, ProxyLoop loop, Channel tcp, Fd pipe, Collection<ByteBuf> early) {
    PipeSink sink = new PipeSink(shared, loop, tcp, pipe);
    shared.relays().add(sink);
    sink.inbound.addAll(early);
    sink.ended = !tcp.isActive();
    tcp.pipeline().addLast(sink);
    sink.pump();
  }

  @Override
  public ProxyLoop loop() {
    return loop;
  }

  @Override
  public void ready(boolean readable, boolean writable, boolean endedThere, boolean hungUp) {
    if (hungUp) {
      close(); // no reader is left
    } else if (writable && full) {
      full = false;
      watch.wantWritable(false);
      pump();
    }
  }

  private void pump() {
    while (!closed && !full && !inbound.isEmpty()) {
      ByteBuf head = inbound.element();
      long n = pipe.write(ProxyLoop.address(head, head.readerIndex()), head.readableBytes());
      if (n > 0) {
        head.skipBytes((int) n);
      } else if (n == -Errno.EAGAIN) {
        full = true;
        watch.wantWritable(true);
      } else {
        close();
        return;
      }
      if (!head.isReadable()) {
        inbound.remove().release();
      }
    }
    if (closed) {
      return;
    }
    if (ended && inbound.isEmpty()) {
      close();
    } else {
      tcp.config().setAutoRead(!full && !ended);
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    inbound.add((ByteBuf) message);
    pump();
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof ChannelInputShutdownEvent) {
      ended = true;
      pump();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    ended = true;
    pump();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    ctx.close();
  }

  @Override
  public void abort() {
    close();
  }

  private void close() {
    if (!closed) {
      closed = true;
      shared.relays().remove(this);
      watch.cancel();
      pipe.close();
      inbound.forEach(ByteBuf::release);
      inbound.clear();
      tcp.close();
    }
  }
}
