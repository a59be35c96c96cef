package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.testing.Ports;

/** A daemon that cannot start leaves no socket, no port and no lock behind. */
final class FailedStartTest {
  @TempDir Path directory;

  @Test
  void leavesNothingBehind() throws Exception {
    ProxyConfig config = config();
    Path inTheWay = Files.createDirectories(config.runDirectory()).resolve("uds_loglevel.sock");
    Files.writeString(inTheWay, "no socket");
    assertThatThrownBy(() -> ProxyDaemon.start(config))
        .isInstanceOf(StartException.class)
        .hasMessageContaining("uds_loglevel.sock is a regular file");
    try (var left = Files.list(config.runDirectory())) {
      assertThat(left).containsExactlyInAnyOrder(inTheWay, inTheWay.resolveSibling("uds.lock"));
    }
    Files.delete(inTheWay);
    ProxyDaemon.start(config).stop();
  }

  private ProxyConfig config() throws Exception {
    InetAddress loopback = InetAddress.getLoopbackAddress();
    return ProxyConfig.between(
            new InetSocketAddress(loopback, Ports.free()),
            new InetSocketAddress(loopback, Ports.free()))
        .runDirectory(directory.resolve("run"))
        .whitelist(directory.resolve("whitelist"))
        .deadlines(ProxyPair.DEADLINES)
        .build();
  }
}
