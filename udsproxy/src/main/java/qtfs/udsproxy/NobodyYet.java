package qtfs.udsproxy;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/**
 * A connection's first handler until a relay has taken it over behind this one. A connection that
 * breaks before is closed, and who waits for it is told by its future.
 */
final class NobodyYet extends ChannelInboundHandlerAdapter {
  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (context.pipeline().last() == this) {
      context.close();
    } else {
      context.fireExceptionCaught(cause);
    }
  }
}
