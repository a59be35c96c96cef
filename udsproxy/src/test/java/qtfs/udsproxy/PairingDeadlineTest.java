package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.Fd;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;
import qtfs.udsproxy.connector.ConnectRequest;

/** An application that does not come in time loses its connection, and nobody else does. */
final class PairingDeadlineTest {
  private static final Deadlines SHORT =
      new Deadlines(
          Duration.ofSeconds(10),
          Duration.ofMillis(700),
          Duration.ofSeconds(10),
          Duration.ofSeconds(1));

  @TempDir Path directory;

  private static byte[] request(Path path) {
    return new ConnectRequest(UnixSocket.Type.STREAM, path.toString()).encode();
  }

  @Test
  void nobodyComes() throws Exception {
    try (ProxyPair proxies = new ProxyPair(directory, SHORT, ProxyPair.allowing(directory), 1);
        UnixListener listener = proxies.listen("t.sock")) {
      assertThat(proxies.ask(request(proxies.path("t.sock")))).isEqualTo(1);
      Path standIn = proxies.path("t.sock.proxy");
      assertThat(standIn).exists();
      try (Fd target = ProxyPair.accept(listener)) {
        assertThat(Sockets.readAll(target)).isEmpty();
      }
      Await.until("the stand-in goes", () -> !standIn.toFile().exists());
      assertThatThrownBy(() -> UnixSocket.connect(standIn.toString()))
          .hasMessageContaining("No such file");
      // And it comes back.
      try (Fd application = proxies.connect("t.sock");
          Fd target = ProxyPair.accept(listener)) {
        Sockets.write(application, "again");
        assertThat(Sockets.readText(target, 5)).isEqualTo("again");
      }
    }
  }

  @Test
  void itFiresWhileOthersAreBusy() throws Exception {
    try (ProxyPair proxies = new ProxyPair(directory, SHORT, ProxyPair.allowing(directory), 1);
        UnixListener listener = proxies.listen("t.sock");
        UnixListener busy = proxies.listen("busy.sock");
        Fd application = proxies.connect("busy.sock");
        Fd server = ProxyPair.accept(busy)) {
      List<Fd> targets = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        assertThat(proxies.ask(request(proxies.path("t.sock")))).isEqualTo(1);
        targets.add(ProxyPair.accept(listener));
      }
      long start = System.nanoTime();
      while (proxies.path("t.sock.proxy").toFile().exists()) {
        Sockets.write(application, "ping");
        assertThat(Sockets.readText(server, 4)).isEqualTo("ping");
        assertThat(System.nanoTime() - start).isLessThan(10_000_000_000L);
      }
      for (Fd target : targets) {
        assertThat(Sockets.readAll(target)).isEmpty();
      }
      Fd.closeAll(targets);
    }
  }
}
