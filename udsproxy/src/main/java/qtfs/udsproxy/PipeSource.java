package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.Log;

/**
 * The half of a passed pipe where the bytes come out on this host: reads them and sends them to the
 * peer, raw. When the peer's reader has gone, the read end is closed, and who writes here gets
 * EPIPE. Only the end of the pipe closes the link in order; anything else resets it, as the peer
 * would take a link that is closed for the end, and miss nothing.
 */
final class PipeSource extends PipeHalf {
  private static final int READS_PER_TURN = 8;

  // Seconds that close(2) may go on sending; socket(7). vsock knows no such option.
  private static final int RESET = 0;
  private static final int IN_ORDER = -1;

  private final Backlog.Share held;
  private boolean readable;

  private PipeSource(Shared shared, ProxyLoop loop, Channel tcp, Fd pipe) {
    super(shared, loop, tcp, pipe);
    this.held = shared.backlog().share(loop, this::pump);
  }

  /** Begins to relay, taking both over; see {@link PipeHalf}. */
  static void start(Shared shared, ProxyLoop loop, Channel tcp, Fd pipe) {
    PipeSource source = new PipeSource(shared, loop, tcp, pipe);
    tcp.pipeline().addLast(source);
    tcp.config().setOption(ChannelOption.SO_LINGER, RESET);
    tcp.config().setAutoRead(true); // to see the peer go
    if (!tcp.isActive()) {
      source.close();
    }
  }

  @Override
  public void ready(boolean readableNow, boolean writable, boolean ended, boolean hungUp) {
    readable |= readableNow;
    pump();
  }

  private void pump() {
    boolean wrote = false;
    for (int i = 0; readable && tcp().isWritable() && held.mayRead(true); i++) {
      if (i == READS_PER_TURN) {
        loop().eventLoop().execute(this::pump);
        break;
      }
      int n = loop().read(pipe());
      if (n > 0) {
        held.write(tcp(), loop().takeBytes(n));
        carried(Statistics.Way.TO_PEER, n);
        wrote = true;
        continue;
      }
      readable = false;
      if (n == 0) {
        end();
        return;
      } else if (n != -Errno.EAGAIN) {
        Log.warn("a passed pipe cannot be read: " + Errno.message(-n));
        close();
        return;
      }
    }
    if (wrote) {
      tcp().flush();
    }
  }

  /** All writers have closed: so does this side, once the kernel has taken everything. */
  private void end() {
    tcp()
        .writeAndFlush(Unpooled.EMPTY_BUFFER)
        .addListener(
            flushed -> {
              if (flushed.isSuccess()) {
                tcp().config().setOption(ChannelOption.SO_LINGER, IN_ORDER);
              }
              tcp().close();
            });
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    pump();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ((ByteBuf) message).release(); // nothing is said in this direction
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof ChannelInputShutdownEvent) {
      close();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    close();
  }
}
