package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import qtfs.linux.Fd;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;
import qtfs.testing.Ports;
import qtfs.udsproxy.connector.ConnectRequest;

/**
 * Who can cut the wire cannot end a stream: without the end of TLS it is an error, on both sides.
 */
final class TlsCutTest {
  private static TlsConfig host;

  @TempDir Path directory;

  @BeforeAll
  static void certify(@TempDir Path files) throws Exception {
    host = TestAuthority.create(files).host("host", "ip:127.0.0.1", "127.0.0.1");
  }

  private ProxyDaemon proxy(String name, InetSocketAddress address, InetSocketAddress peer)
      throws Exception {
    Path whitelist = directory.resolve("whitelist");
    return ProxyDaemon.start(
        ProxyConfig.between(address, peer)
            .runDirectory(directory.resolve(name))
            .whitelist(Files.writeString(whitelist, ProxyPair.allowing(directory)))
            .deadlines(ProxyPair.DEADLINES)
            .tls(host)
            .build());
  }

  private Fd connect(UnixListener listener) throws Exception {
    String path = listener.path().toString();
    try (Fd connector = UnixSocket.connect(directory + "/a/remote_uds.sock")) {
      Sockets.write(connector, new ConnectRequest(UnixSocket.Type.STREAM, path).encode());
      assertThat(Sockets.read(connector, 4)[0]).isEqualTo((byte) 1);
    }
    return UnixSocket.connect(path + ConnectRequest.PROXY_SUFFIX);
  }

  /** What happens to a session in which something has been said. */
  private interface Fate {
    void happens(CuttableWire wire, Fd application, Fd target) throws Exception;
  }

  /** The reasons by which it has ended, on both sides. */
  private List<String> reasons(Fate fate) throws Exception {
    InetSocketAddress a = Ports.freeAddress();
    InetSocketAddress b = Ports.freeAddress();
    try (CapturedLog log = new CapturedLog();
        CuttableWire wire = CuttableWire.to(b)) {
      ProxyDaemon proxyA = proxy("a", a, wire.from());
      ProxyDaemon proxyB = proxy("b", b, a);
      try (UnixListener listener = UnixListener.bind(directory.resolve("t.sock"), 8);
          Fd application = connect(listener);
          Fd target = ProxyPair.accept(listener)) {
        Sockets.write(application, "half of a sen");
        assertThat(Sockets.readText(target, 13)).isEqualTo("half of a sen");
        fate.happens(wire, application, target);
        Await.until("both have ended", () -> log.audit("session-end").size() == 2);
      } finally {
        proxyA.stop();
        proxyB.stop();
      }
      return log.audit("session-end").stream().map(TlsCutTest::reason).toList();
    }
  }

  private static String reason(String line) {
    return line.replaceAll(".* reason=(.*) seconds=.*", "$1");
  }

  @ParameterizedTest
  @EnumSource
  void aCutIsAnError(CuttableWire.Cut how) throws Exception {
    String said =
        switch (how) {
          case FIN -> "cut off: it ended without the end of TLS";
          case RST -> "reset";
        };
    assertThat(reasons((wire, _, _) -> wire.cut(how)))
        .allSatisfy(reason -> assertThat(reason).contains("the link failed: TLS: ").contains(said));
  }

  @Test
  void anEndIsNone() throws Exception {
    List<String> reasons =
        reasons(
            (_, application, target) -> {
              UnixSocket.shutdownWrite(application);
              UnixSocket.shutdownWrite(target);
            });
    assertThat(reasons).containsOnly("closed");
  }
}
