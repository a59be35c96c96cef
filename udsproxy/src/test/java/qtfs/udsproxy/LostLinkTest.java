package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.Fd;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;
import qtfs.testing.Ports;
import qtfs.udsproxy.connector.ConnectRequest;

/** A peer that dies, or is not there, ends what hangs on it, and nothing has to be restarted. */
final class LostLinkTest {
  @TempDir Path directory;

  /** Reads to the end, of whichever kind; a reset is what it should be for a reset. */
  private static void assertEnds(Fd fd) {
    try {
      assertThat(Sockets.readAll(fd)).isEmpty();
    } catch (IOException reset) {
      assertThat(reset).hasMessageContaining("reset");
    }
  }

  private static void reset(Peer.Link link) throws IOException {
    link.socket().setSoLinger(true, 0);
    link.hangUp();
  }

  @Test
  void aResetReachesTheApplicationWithinASecond() throws Exception {
    try (Peer peer = Peer.open(directory);
        UnixListener listener = peer.listen("t.sock");
        Peer.Link link = peer.reach("t.sock");
        Fd target = ProxyPair.accept(listener)) {
      reset(link);
      long start = System.nanoTime();
      assertEnds(target);
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(1));
      Await.until("the session ends", () -> peer.daemon().shared().relays().isEmpty());
    }
  }

  @Test
  void aResetUnderLoadEndsTheSession() throws Exception {
    try (Peer peer = Peer.open(directory);
        UnixListener listener = peer.listen("t.sock");
        Peer.Link link = peer.reach("t.sock");
        Fd target = ProxyPair.accept(listener)) {
      Sockets.write(target, new byte[200_000]);
      reset(link);
      assertEnds(target);
      Await.until("the session ends", () -> peer.daemon().shared().relays().isEmpty());
    }
  }

  @Test
  void aTargetThatIsGoneEndsTheLink() throws Exception {
    try (Peer peer = Peer.open(directory);
        UnixListener listener = peer.listen("t.sock");
        Peer.Link link = peer.reach("t.sock")) {
      ProxyPair.accept(listener).close();
      assertThat(link.ended()).isTrue();
      link.hangUp();
      Await.until("the session ends", () -> peer.daemon().shared().relays().isEmpty());
    }
  }

  @Test
  void anAbsentPeerIsARefusalAndItsReturnIsEnough() throws Exception {
    InetAddress loopback = InetAddress.getLoopbackAddress();
    int peerPort = Ports.free();
    ProxyDaemon daemon =
        ProxyDaemon.start(
            ProxyConfig.between(
                    new InetSocketAddress(loopback, 0), new InetSocketAddress(loopback, peerPort))
                .runDirectory(directory.resolve("run"))
                .whitelist(Files.writeString(directory.resolve("whitelist"), ""))
                .deadlines(ProxyPair.DEADLINES)
                .build());
    try {
      try (Fd connector = ask()) {
        assertThat(Sockets.read(connector, 5)).isEqualTo(new byte[4]);
      }
      try (ServerSocket returned = new ServerSocket(peerPort, 8, loopback);
          Fd connector = ask();
          Peer.Link link = new Peer.Link(returned.accept())) {
        link.read(Recorded.REQUEST);
        link.send(new byte[4]);
        assertThat(Sockets.read(connector, 5)).isEqualTo(new byte[] {1, 0, 0, 0});
      }
    } finally {
      daemon.stop();
    }
  }

  private Fd ask() throws IOException {
    Fd connector = UnixSocket.connect(directory + "/run/remote_uds.sock");
    Path path = directory.resolve("t.sock");
    Sockets.write(connector, new ConnectRequest(UnixSocket.Type.STREAM, path.toString()).encode());
    return connector;
  }
}
