package qtfs.engine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.testing.MetricFamily;

/** The module's counters stand next to the proxy's; a module that fails is a number, no error. */
final class ModuleMetricsTest {
  @TempDir Path directory;

  private static String scrape(Host host) throws IOException {
    try (SocketChannel socket = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      socket.connect(UnixDomainSocketAddress.of(host.run().resolve("metrics.sock")));
      ByteBuffer request = ByteBuffer.wrap("GET /metrics HTTP/1.1\r\n\r\n".getBytes(UTF_8));
      while (request.hasRemaining()) {
        int ignored = socket.write(request);
      }
      return new String(Channels.newInputStream(socket).readAllBytes(), UTF_8);
    }
  }

  @Test
  void theModulesCountersAreShownAsDocumented() throws Exception {
    Host host = Host.in(directory);
    try (EngineProcess engine = host.start(2).ready()) {
      String text = scrape(host);
      assertThat(text)
          .contains("\nqtfs_module_up 1")
          .contains("\nqtfs_module_received_total{event=\"mount\"} ")
          .contains("\nqtfs_module_sent_total{event=\"sc_setaffi\"} ")
          .contains("\nqtfs_module_connections{state=\"active\"} ")
          .contains("\nqtfs_proxy_loops 1.0\n");
      Map<String, MetricFamily> shown = MetricFamily.shown(text);
      shown.keySet().removeIf(name -> !name.startsWith("qtfs_module_"));
      assertThat(shown).hasSize(10).isEqualTo(MetricFamily.documented("qtfs_module"));
      assertThat(engine.said()).doesNotContain("Exception");
    }
  }

  @Test
  void aModuleThatFailsIsDownAndTheProxyIsShown() throws Exception {
    Host host = Host.in(directory);
    try (EngineProcess engine = host.start(1).ready()) {
      host.kernel().set("info_gone", 5); // EIO
      String text = scrape(host);
      assertThat(text)
          .startsWith("HTTP/1.1 200 OK")
          .contains("\nqtfs_module_up 0")
          .contains("\nqtfs_proxy_loops 1.0\n")
          .doesNotContain("qtfs_module_received_total");
      assertThat(engine.said()).doesNotContain("Exception");
      Files.delete(host.directory().resolve("server.info_gone"));
      assertThat(scrape(host)).contains("\nqtfs_module_up 1");
    }
  }
}
