package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.channel.epoll.VSockAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The form of an argument decides the transport, and the host of an end who may connect. */
final class EndpointTest {
  @ParameterizedTest
  @CsvSource({
    "10.0.0.1, 10.0.0.1:12121",
    "::1, [0:0:0:0:0:0:0:1]:12121",
    "localhost, 127.0.0.1:12121",
    "2, vsock 2:12121",
    "0010, vsock 10:12121",
    "4294967294, vsock 4294967294:12121",
    "-1, vsock any:12121",
    "4294967295, vsock any:12121",
  })
  void isReadAndWritten(String argument, String text) throws Exception {
    assertThat(Endpoint.of(argument, 12121)).hasToString(text);
  }

  @Test
  void aPortThatTheKernelGaveOutIsWrittenAsItIs() {
    SocketAddress peer = new VSockAddress(1, 0xe2e00001);
    assertThat(Endpoint.of(peer)).hasToString("vsock 1:3806330881");
  }

  @ParameterizedTest
  @ValueSource(strings = {"-2", "4294967296", "99999999999999", "no.such..host", "2a"})
  void isRefused(String argument) {
    assertThatThrownBy(() -> Endpoint.of(argument, 12121)).isInstanceOf(UnknownHostException.class);
  }

  private static SocketAddress from(String host, int port) throws Exception {
    return Endpoint.of(host, port).address();
  }

  @Test
  void theHostCountsAndNotThePort() throws Exception {
    Endpoint tcp = Endpoint.of("127.0.0.1", 12121);
    assertThat(tcp.isHostOf(from("127.0.0.1", 40000))).isTrue();
    assertThat(tcp.isHostOf(from("127.0.0.2", 12121))).isFalse();
    Endpoint vsock = Endpoint.of("10", 12121);
    assertThat(vsock.isHostOf(from("10", 40000))).isTrue();
    assertThat(vsock.isHostOf(from("11", 12121))).isFalse();
    assertThat(vsock.isHostOf(from("0.0.0.10", 12121))).isFalse();
    assertThat(tcp.isHostOf(from("10", 12121))).isFalse();
  }
}
