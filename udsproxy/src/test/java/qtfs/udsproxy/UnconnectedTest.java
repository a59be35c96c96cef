package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.channel.embedded.EmbeddedChannel;
import java.io.IOException;
import java.nio.channels.NotYetConnectedException;
import org.junit.jupiter.api.Test;

final class UnconnectedTest {
  @Test
  void anotherConnectionsEventEndsNoConnectingOne() {
    EmbeddedChannel connecting =
        new EmbeddedChannel(new Unconnected()) {
          @Override
          public boolean isActive() {
            return false;
          }
        };
    connecting.pipeline().fireExceptionCaught(new NotYetConnectedException());
    assertThat(connecting.isOpen()).isTrue();
    // What reaches the end of the pipeline would be thrown here.
    connecting.checkException();
  }

  @Test
  void aConnectionThatBreaksIsTold() {
    EmbeddedChannel connected = new EmbeddedChannel(new Unconnected());
    connected.pipeline().fireExceptionCaught(new IOException("broken"));
    assertThatThrownBy(connected::checkException).hasMessage("broken");
  }
}
