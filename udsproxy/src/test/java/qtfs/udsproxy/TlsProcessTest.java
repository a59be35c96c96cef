package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.Fd;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.testing.Ports;
import qtfs.udsproxy.connector.ConnectRequest;

/** The program with TLS: where there is no native library, the JDK does it, and says so. */
final class TlsProcessTest {
  @TempDir Path directory;

  private DaemonProcess start(TlsConfig tls, String name, int port, int peer, String... jvm)
      throws Exception {
    Path whitelist = Files.writeString(directory.resolve("w"), ProxyPair.allowing(directory));
    List<String> arguments =
        List.of(
            "--run-dir=" + directory.resolve(name),
            "--whitelist=" + whitelist,
            "--tls-cert=" + tls.certificate(),
            "--tls-key=" + tls.key(),
            "--tls-ca=" + tls.authority(),
            "1",
            "127.0.0.1",
            Integer.toString(port),
            "127.0.0.1",
            Integer.toString(peer));
    List<String> launcher = List.of("env", "JDK_JAVA_OPTIONS=" + String.join(" ", jvm));
    return DaemonProcess.startBy(launcher, directory, arguments);
  }

  @Test
  void theJdkTalksToTheNativeLibrary() throws Exception {
    TlsConfig tls =
        TestAuthority.create(directory.resolve("ca")).host("host", "ip:127.0.0.1", "127.0.0.1");
    int portA = Ports.free();
    int portB = Ports.free();
    try (DaemonProcess a = start(tls, "a", portA, portB, "-Dio.netty.handler.ssl.noOpenSsl=true");
        DaemonProcess b = start(tls, "b", portB, portA);
        UnixListener listener = UnixListener.bind(directory.resolve("t.sock"), 8)) {
      a.ready();
      b.ready();
      assertThat(a.stderr()).contains("TLS 1.3 on the link, by the JDK, for");
      assertThat(b.stderr()).contains("TLS 1.3 on the link, by BoringSSL");
      assertCarries(listener);
    }
  }

  @Test
  void aLinkThatLeavesTheHostUnsecuredIsToldOnce() throws Exception {
    String peer = Integer.toString(Ports.free());
    for (String own : List.of("0.0.0.0", "127.0.0.1")) {
      List<String> arguments =
          List.of(
              "--run-dir=" + directory.resolve(own),
              "--whitelist=" + directory.resolve("none"),
              "1",
              own,
              Integer.toString(Ports.free()),
              "127.0.0.1",
              peer);
      try (DaemonProcess daemon = DaemonProcess.start(directory, arguments).ready()) {
        assertThat(daemon.stderr().lines().filter(line -> line.contains("--tls-cert, --tls-key")))
            .hasSize(own.equals("0.0.0.0") ? 1 : 0);
      }
    }
  }

  private void assertCarries(UnixListener listener) throws IOException {
    String path = listener.path().toString();
    try (Fd connector = UnixSocket.connect(directory + "/a/remote_uds.sock")) {
      Sockets.write(connector, new ConnectRequest(UnixSocket.Type.STREAM, path).encode());
      assertThat(Sockets.read(connector, 4)[0]).isEqualTo((byte) 1);
    }
    byte[] much = new byte[100_000];
    try (Fd application = UnixSocket.connect(path + ".proxy");
        Fd server = ProxyPair.accept(listener)) {
      Sockets.write(application, much);
      assertThat(Sockets.read(server, much.length)).isEqualTo(much);
      Sockets.write(server, much);
      assertThat(Sockets.read(application, much.length)).isEqualTo(much);
    }
  }
}
