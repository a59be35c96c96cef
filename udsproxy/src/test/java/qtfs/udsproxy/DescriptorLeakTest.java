package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.Fd;
import qtfs.linux.Pipe;
import qtfs.linux.Spawn;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;
import qtfs.udsproxy.connector.ConnectRequest;

/** Sessions, refusals and passed descriptors leave no descriptor behind. */
final class DescriptorLeakTest {
  private static final int SESSIONS = 10_000;

  @TempDir Path directory;

  @Test
  void allAreClosedAgain() throws Exception {
    Path file = Files.writeString(directory.resolve("file"), "content");
    try (ProxyPair proxies = ProxyPair.open(directory);
        UnixListener listener = proxies.listen("t.sock")) {
      for (int i = 0; i < 6; i++) {
        oneOfEach(proxies, listener, file, i); // what is opened once and kept
      }
      Await.until("idle", () -> idle(proxies));
      int before = Spawn.openNumbers().size();
      for (int i = 0; i < SESSIONS; i++) {
        oneOfEach(proxies, listener, file, i);
      }
      Await.until("idle", () -> idle(proxies));
      Await.until("back to " + before + " descriptors", () -> Spawn.openNumbers().size() <= before);
    }
  }

  private static boolean idle(ProxyPair proxies) {
    return proxies.a().shared().relays().isEmpty() && proxies.b().shared().relays().isEmpty();
  }

  private static void oneOfEach(ProxyPair proxies, UnixListener listener, Path file, int i)
      throws Exception {
    switch (i % 6) {
      case 0 -> refused(proxies, "missing.sock");
      case 1 -> refused(proxies, "file"); // no socket
      case 2 -> halfARequest(proxies);
      default -> session(proxies, listener, file, i % 6);
    }
  }

  private static void refused(ProxyPair proxies, String name) throws Exception {
    var request = new ConnectRequest(UnixSocket.Type.STREAM, proxies.path(name).toString());
    assertThat(proxies.ask(request.encode())).isZero();
  }

  private static void halfARequest(ProxyPair proxies) throws Exception {
    try (Fd connector = UnixSocket.connect(proxies.path("a/remote_uds.sock").toString())) {
      Sockets.write(connector, new byte[50]);
    }
  }

  private static void session(ProxyPair proxies, UnixListener listener, Path file, int kind)
      throws Exception {
    try (Fd application = proxies.connect("t.sock");
        Fd server = ProxyPair.accept(listener);
        Fd open = Fd.open(file, Fd.O_RDONLY);
        Fd refused = Fd.open(Path.of("/etc/passwd"), Fd.O_RDONLY);
        Pipe pipe = Pipe.open()) {
      Sockets.write(application, "hello");
      assertThat(Sockets.readText(server, 5)).isEqualTo("hello");
      if (kind == 3) {
        Sockets.send(application, "x", List.of(open, refused, pipe.read(), pipe.write()));
        Sockets.Message message = Sockets.receive(server);
        assertThat(message.fds()).hasSize(3);
        Fd.closeAll(message.fds());
      } else if (kind == 4) {
        // Closed while they are on their way.
        Sockets.send(application, "x", List.of(open, pipe.read()));
      }
    }
  }
}
