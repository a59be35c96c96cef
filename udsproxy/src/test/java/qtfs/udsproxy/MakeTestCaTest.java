package qtfs.udsproxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.Fd;
import qtfs.linux.UnixListener;

/** What tools/make-test-ca makes is what a proxy wants. */
final class MakeTestCaTest {
  @TempDir Path directory;

  @Test
  void twoHostsHaveALink() throws Exception {
    try {
      new ProcessBuilder("openssl", "version").start().waitFor();
    } catch (IOException e) {
      String reason = "SKIPPED: tools/make-test-ca needs openssl: apt-get install openssl";
      System.err.println(reason);
      Assumptions.abort(reason);
    }
    Process script =
        new ProcessBuilder(
                Path.of("../tools/make-test-ca").toRealPath().toString(),
                "ca",
                "127.0.0.1",
                "Host.example")
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .start();
    String said = new String(script.getInputStream().readAllBytes(), UTF_8);
    assertThat(script.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(script.exitValue()).as(said).isZero();
    try (ProxyPair proxies =
            ProxyPair.secured(
                directory, host("127.0.0.1", "Host.example"), host("Host.example", "127.0.0.1"));
        UnixListener listener = proxies.listen("t.sock");
        Fd application = proxies.connect("t.sock");
        Fd server = ProxyPair.accept(listener)) {
      Sockets.write(application, "hello");
      assertThat(Sockets.readText(server, 5)).isEqualTo("hello");
    }
  }

  private TlsConfig host(String name, String peer) {
    Path ca = directory.resolve("ca");
    return new TlsConfig(
        ca.resolve(name + ".crt"), ca.resolve(name + ".key"), ca.resolve("ca.crt"), List.of(peer));
  }
}
