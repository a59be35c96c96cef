package qtfs.udsproxy;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.Fd;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;
import qtfs.udsproxy.connector.ConnectRequest;

/** While requests follow each other, the connection for the next one is made ahead. */
final class SpareLinkTest {
  private static final int REQUEST_LENGTH = Frame.HEADER_LENGTH + ConnectRequest.LENGTH;

  @TempDir Path directory;

  /** A peer of a proxy that keeps a spare connection for so long. */
  private Peer peer(Duration spare) throws IOException, StartException {
    return Peer.open(directory, keeping(spare));
  }

  private static Deadlines keeping(Duration spare) {
    Deadlines usual = ProxyPair.DEADLINES;
    return new Deadlines(usual.handshake(), usual.pairing(), usual.pipe(), usual.stopping(), spare);
  }

  /** A session from its beginning to its end. */
  private static void session(ProxyPair proxies, UnixListener listener) throws Exception {
    try (Fd application = proxies.connect("x");
        Fd target = ProxyPair.accept(listener)) {
      Sockets.write(application, new byte[] {1});
      assertThat(Sockets.read(target, 1)).containsExactly(1);
    }
    Await.until("the session has ended", () -> proxies.b().shared().relays().isEmpty());
  }

  /** Lets an application ask, and answers it on a connection; whether it was told to go ahead. */
  private static boolean served(Peer peer, Peer.Link link, Fd connector, int answer)
      throws IOException {
    assertThat(new String(link.read(REQUEST_LENGTH), US_ASCII)).contains(peer.path("x").toString());
    link.send(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(answer).array());
    boolean ready = Sockets.read(connector, 4)[0] != 0;
    peer.application("x").close();
    return ready;
  }

  private static void ask(Peer peer, int answer) throws IOException {
    try (Fd connector = peer.ask("x");
        Peer.Link link = peer.accept()) {
      assertThat(served(peer, link, connector, answer)).isTrue();
    }
  }

  @Test
  void theNextRequestFindsItsConnectionMade() throws Exception {
    try (Peer peer = peer(Duration.ofMinutes(1))) {
      ask(peer, PeerRequest.CONNECTED_EXTENDED);
      ask(peer, PeerRequest.CONNECTED_EXTENDED);
      for (int i = 0; i < 3; i++) {
        try (Peer.Link ahead = peer.accept();
            Fd connector = peer.ask("x")) {
          assertThat(served(peer, ahead, connector, PeerRequest.CONNECTED_EXTENDED)).isTrue();
        }
      }
    }
  }

  @Test
  void noneIsMadeForAPeerThatIsNotOneOfOurs() throws Exception {
    try (Peer peer = peer(Duration.ofMinutes(1))) {
      for (int i = 0; i < 4; i++) {
        ask(peer, PeerRequest.CONNECTED);
      }
      assertThat(peer.isAsked()).isFalse();
    }
  }

  @Test
  void noneIsMadeForRequestsFarApart() throws Exception {
    try (Peer peer = peer(Duration.ZERO)) {
      for (int i = 0; i < 4; i++) {
        ask(peer, PeerRequest.CONNECTED_EXTENDED);
      }
      assertThat(peer.isAsked()).isFalse();
    }
  }

  @Test
  void oneThatThePeerHasClosedIsMadeAgain() throws Exception {
    try (Peer peer = peer(Duration.ofMinutes(1))) {
      ask(peer, PeerRequest.CONNECTED_EXTENDED);
      ask(peer, PeerRequest.CONNECTED_EXTENDED);
      peer.accept().hangUp();
      ask(peer, PeerRequest.CONNECTED_EXTENDED);
    }
  }

  @Test
  void aRequestThatIsLostWithItIsMadeAgain() throws Exception {
    try (Peer peer = peer(Duration.ofMinutes(1))) {
      ask(peer, PeerRequest.CONNECTED_EXTENDED);
      ask(peer, PeerRequest.CONNECTED_EXTENDED);
      try (Peer.Link ahead = peer.accept();
          Fd connector = peer.ask("x")) {
        ahead.read(REQUEST_LENGTH);
        ahead.hangUp();
        try (Peer.Link next = peer.accept()) { // the spare one that the request has ordered
          next.hangUp();
        }
        try (Peer.Link again = peer.accept()) {
          assertThat(served(peer, again, connector, PeerRequest.CONNECTED_EXTENDED)).isTrue();
        }
      }
    }
  }

  @Test
  void oneThatIsNotNeededIsClosedAndNobodySpeaksOfIt() throws Exception {
    try (CapturedLog log = new CapturedLog();
        ProxyPair proxies = ProxyPair.open(directory);
        UnixListener listener = proxies.listen("x")) {
      for (int i = 0; i < 3; i++) {
        session(proxies, listener);
      }
      Await.until("nothing is left", () -> proxies.b().workLeft() == 0);
      assertThat(log.audit("connection-dropped")).isEmpty();
      assertThat(log.audit("session-end")).isNotEmpty();
    }
  }

  @Test
  void oneThatIsThereHoldsNoDrainingUp() throws Exception {
    try (Peer peer = peer(Duration.ofMinutes(1))) {
      ask(peer, PeerRequest.CONNECTED_EXTENDED);
      ask(peer, PeerRequest.CONNECTED_EXTENDED);
      try (Peer.Link ahead = peer.accept()) {
        peer.daemon().drain();
        assertThat(ahead.ended()).isTrue();
      }
    }
  }

  @Test
  void itIsSecuredTooAndNotUsedWithAnOldCertificate(@TempDir Path files, @TempDir Path others)
      throws Exception {
    TlsConfig host = TestAuthority.create(files).host("host", "ip:127.0.0.1", "127.0.0.1");
    try (ProxyPair proxies =
            ProxyPair.secured(directory, keeping(Duration.ofMinutes(1)), host, host);
        UnixListener listener = proxies.listen("x")) {
      session(proxies, listener);
      for (int i = 0; i < 3; i++) {
        session(proxies, listener);
        Await.until("one more waits at the peer", () -> proxies.b().workLeft() == 1);
      }
      TlsConfig stranger = TestAuthority.create(others).host("host", "ip:127.0.0.1", "127.0.0.1");
      Files.copy(stranger.certificate(), host.certificate(), REPLACE_EXISTING);
      Files.copy(stranger.key(), host.key(), REPLACE_EXISTING);
      proxies.a().reloadTls();
      byte[] request =
          new ConnectRequest(UnixSocket.Type.STREAM, proxies.path("x").toString()).encode();
      assertThat(proxies.ask(request)).isZero(); // the peer does not know who is certified so
    }
  }
}
