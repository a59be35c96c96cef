package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.channels.NotYetConnectedException;
import org.junit.jupiter.api.Test;

final class NobodyYetTest {
  @Test
  void closesAConnectionThatBreaks() {
    EmbeddedChannel channel = new EmbeddedChannel(new NobodyYet());
    channel.pipeline().fireExceptionCaught(new NotYetConnectedException());
    assertThat(channel.isOpen()).isFalse();
    // What reaches the end of the pipeline would be thrown here.
    channel.checkException();
  }

  @Test
  void leavesItToWhoeverHasTakenOver() {
    EmbeddedChannel channel =
        new EmbeddedChannel(new NobodyYet(), new ChannelInboundHandlerAdapter());
    channel.pipeline().fireExceptionCaught(new NotYetConnectedException());
    assertThat(channel.isOpen()).isTrue();
    assertThatThrownBy(channel::checkException).isInstanceOf(NotYetConnectedException.class);
  }
}
