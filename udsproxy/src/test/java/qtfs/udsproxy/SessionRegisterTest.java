package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.Fd;
import qtfs.linux.Pipe;
import qtfs.linux.UnixListener;
import qtfs.testing.Await;

/** Each session is in both proxies' registers while it lives, with what went through it. */
final class SessionRegisterTest {
  @TempDir Path directory;

  private static SessionInfo only(ProxyDaemon daemon) throws Exception {
    Await.until("it is registered", () -> daemon.shared().sessions().size() == 1);
    return daemon.shared().sessions().getFirst();
  }

  @Test
  void tellsWhoIsConnectedWhereAndHowMuchHasGoneThrough() throws Exception {
    Instant before = Instant.now();
    try (ProxyPair proxies = ProxyPair.open(directory);
        UnixListener listener = proxies.listen("t.sock");
        Fd application = proxies.connect("t.sock");
        Fd target = ProxyPair.accept(listener)) {
      Sockets.write(application, "hello");
      assertThat(Sockets.readText(target, 5)).isEqualTo("hello");
      Sockets.write(target, "yes");
      assertThat(Sockets.readText(application, 3)).isEqualTo("yes");
      // They are counted when they have been sent.
      Await.until("A counts", () -> only(proxies.a()).bytesFromPeer() == 3);
      Await.until("B counts", () -> only(proxies.b()).bytesFromPeer() == 5);

      SessionInfo asking = only(proxies.a());
      assertThat(asking.number()).isEqualTo(1);
      assertThat(asking.direction()).isEqualTo(SessionInfo.Direction.OUTGOING);
      assertThat(asking.path()).isEqualTo(proxies.path("t.sock").toString());
      assertThat(asking.peer()).isEqualTo("127.0.0.1:" + proxies.b().port());
      assertThat(asking.since()).isBetween(before, Instant.now());
      assertThat(asking.idle()).isBetween(Duration.ZERO, Duration.between(before, Instant.now()));
      assertThat(asking.bytesToPeer()).isEqualTo(5);
      assertThat(asking.bytesFromPeer()).isEqualTo(3);
      Requester who = Objects.requireNonNull(asking.requester());
      assertThat(who.pid()).isEqualTo((int) ProcessHandle.current().pid());
      assertThat(who.uid()).isZero();
      assertThat(who.command()).isNotEmpty();

      SessionInfo asked = only(proxies.b());
      assertThat(asked.direction()).isEqualTo(SessionInfo.Direction.INCOMING);
      assertThat(asked.path()).isEqualTo(asking.path());
      assertThat(asked.bytesToPeer()).isEqualTo(3);
      assertThat(asked.bytesFromPeer()).isEqualTo(5);
      assertThat(asked.pipes()).isZero();
    }
  }

  @Test
  void countsDescriptorsAndPipes() throws Exception {
    try (ProxyPair proxies = ProxyPair.open(directory);
        UnixListener listener = proxies.listen("t.sock");
        Fd application = proxies.connect("t.sock");
        Fd target = ProxyPair.accept(listener);
        Pipe pipe = Pipe.open()) {
      Sockets.send(application, "take", List.of(pipe.read()));
      Sockets.Message message = Sockets.receive(target);
      assertThat(message.fds()).hasSize(1);
      Fd.closeAll(message.fds());
      Await.until("B counts", () -> only(proxies.b()).fdsFromPeer() == 1);
      SessionInfo asking = only(proxies.a());
      SessionInfo asked = only(proxies.b());
      assertThat(asking.fdsToPeer()).isEqualTo(1);
      assertThat(asking.pipes()).isEqualTo(1);
      assertThat(asked.fdsFromPeer()).isEqualTo(1);
      assertThat(asked.pipes()).isEqualTo(1);
    }
  }

  @Test
  void forgetsASessionThatHasEnded() throws Exception {
    try (ProxyPair proxies = ProxyPair.open(directory);
        UnixListener listener = proxies.listen("t.sock")) {
      try (Fd _ = proxies.connect("t.sock");
          Fd _ = ProxyPair.accept(listener)) {
        only(proxies.a());
        only(proxies.b());
      }
      Await.until("A forgets", () -> proxies.a().shared().sessions().isEmpty());
      Await.until("B forgets", () -> proxies.b().shared().sessions().isEmpty());
      try (Fd _ = proxies.connect("t.sock");
          Fd _ = ProxyPair.accept(listener)) {
        assertThat(only(proxies.a()).number()).isEqualTo(2);
      }
    }
  }
}
