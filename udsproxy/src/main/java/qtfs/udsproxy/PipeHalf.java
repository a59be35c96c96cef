package qtfs.udsproxy;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import qtfs.linux.Fd;

/**
 * One host's half of a passed pipe: a pipe end here, a channel to the peer's half. Owns both; when
 * the one ends, so does the other. All on the loop's thread.
 */
abstract class PipeHalf extends ChannelInboundHandlerAdapter implements Relay, FdWatch.Listener {
  private final Shared shared;
  private final ProxyLoop loop;
  private final Channel tcp;
  private final Fd pipe;
  private final FdWatch watch;
  private boolean closed;

  /** Takes both over; the pipe end does not block. */
  PipeHalf(Shared shared, ProxyLoop loop, Channel tcp, Fd pipe) {
    this.shared = shared;
    this.loop = loop;
    this.tcp = tcp;
    this.pipe = pipe;
    this.watch = FdWatch.start(loop.eventLoop(), pipe.number(), this);
    shared.relays().add(this);
  }

  @Override
  public final ProxyLoop loop() {
    return loop;
  }

  @Override
  public final Channel tcp() {
    return tcp;
  }

  final Fd pipe() {
    return pipe;
  }

  final FdWatch watch() {
    return watch;
  }

  final boolean isClosed() {
    return closed;
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    ctx.close();
  }

  @Override
  public final void abort() {
    close();
  }

  /** Bytes of the pipe have gone to the other half, or come from there. */
  final void carried(Statistics.Way way, int bytes) {
    shared.statistics().pipeBytes(way, bytes);
  }

  void close() {
    if (!closed) {
      closed = true;
      shared.relays().remove(this);
      watch.cancel();
      pipe.close();
      tcp.close();
    }
  }
}
