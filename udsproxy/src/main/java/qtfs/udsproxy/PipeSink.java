package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Queue;
import qtfs.linux.Errno;
import qtfs.linux.Fd;

/**
 * The half of a passed pipe where the bytes go in on this host: writes what the peer sends, raw.
 * When all readers here have gone, the channel is closed, and the peer closes its read end.
 */
final class PipeSink extends PipeHalf {
  private final PipeOwner owner;
  private final Queue<ByteBuf> inbound = new ArrayDeque<>();
  private final Backlog.Share held;
  private boolean full;
  private boolean ended;

  private PipeSink(Shared shared, ProxyLoop loop, Channel tcp, Fd pipe, PipeOwner owner) {
    super(shared, loop, tcp, pipe);
    this.owner = owner;
    this.held = shared.backlog().share(loop, () -> {}); // it is never refused
  }

  /**
   * Begins to relay, taking everything over; see {@link PipeHalf}.
   *
   * @param early what the peer has already sent
   * @param owner is told when the link fails, for the reader sees but an end
   */
  static void start(
      Shared shared,
      ProxyLoop loop,
      Channel tcp,
      Fd pipe,
      Collection<ByteBuf> early,
      PipeOwner owner) {
    PipeSink sink = new PipeSink(shared, loop, tcp, pipe, owner);
    sink.inbound.addAll(early);
    sink.ended = !tcp.isActive();
    tcp.pipeline().addLast(sink);
    sink.pump();
  }

  @Override
  public void ready(boolean readable, boolean writable, boolean endedThere, boolean hungUp) {
    if (hungUp) {
      close(); // no reader is left
    } else if (writable && full) {
      full = false;
      watch().wantWritable(false);
      pump();
    }
  }

  private void pump() {
    write();
    held.waiting(inbound);
    if (ended && inbound.isEmpty()) {
      close();
    } else if (!isClosed()) {
      tcp().config().setAutoRead(!full && !ended);
    }
  }

  private void write() {
    while (!isClosed() && !full && !inbound.isEmpty()) {
      ByteBuf head = inbound.element();
      long n = pipe().write(ProxyLoop.address(head, head.readerIndex()), head.readableBytes());
      if (n == -Errno.EAGAIN) {
        full = true;
        watch().wantWritable(true);
      } else if (n < 0) {
        close();
      } else {
        head.skipBytes((int) n);
        carried(Statistics.Way.FROM_PEER, (int) n);
        if (!head.isReadable()) {
          inbound.remove().release();
        }
      }
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
    owner.pipeFailed("the link of a passed pipe failed: " + cause.getMessage());
    ctx.close();
  }

  @Override
  void close() {
    super.close();
    inbound.forEach(ByteBuf::release);
    inbound.clear();
    held.waiting(inbound);
  }
}
