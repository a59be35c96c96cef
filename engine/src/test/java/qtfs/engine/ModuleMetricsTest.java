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
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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

  private static Set<String> names(Pattern pattern, String text) {
    Set<String> names = new TreeSet<>();
    pattern.matcher(text).results().forEach(name -> names.add(name.group(1) + " " + name.group(2)));
    return names;
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
      Pattern shown = Pattern.compile("(?m)^# TYPE (qtfs_module_\\w+) (\\w+)$");
      Pattern documented = Pattern.compile("(?m)^\\| `(qtfs_module_\\w+)` \\| (\\w+) \\|");
      assertThat(names(shown, text))
          .hasSize(10)
          .isEqualTo(names(documented, Files.readString(Path.of("../docs/metrics.md"))));
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
