package qtfs.udsproxy;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/**
 * The first handler of a connection to the peer, which passes no exception on before there is one:
 * whether connecting fails is told by its future. Netty knows a channel by the number of its
 * descriptor, and may take an event of one that was closed in the same turn for one of this, read
 * from it, and find it not yet connected.
 */
final class Unconnected extends ChannelInboundHandlerAdapter {
  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (context.channel().isActive()) {
      context.fireExceptionCaught(cause);
    }
  }
}
