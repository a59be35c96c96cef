package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import qtfs.linux.Fd;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;

/**
 * Whoever is not the peer is closed before anything of theirs is read; whoever is, and says
 * nothing, half of something, or garbage, is dropped in time and is in nobody's way.
 */
final class StrangerTest extends ReachedTarget {
  private static final Deadlines SHORT =
      new Deadlines(
          Duration.ofMillis(1500),
          Duration.ofSeconds(5),
          Duration.ofSeconds(5),
          Duration.ofSeconds(1));

  @Override
  Deadlines deadlines() {
    return SHORT;
  }

  private void assertPings() throws Exception {
    Sockets.write(target, "ping");
    byte[] frames = link.read(8 + 4 + 8);
    link.send(frames);
    assertThat(Sockets.readText(target, 4)).isEqualTo("ping");
  }

  private byte[] request() throws Exception {
    return Recorded.of("b01-connect-hello-reply", "tcp1.A-B")
        .towards(peer.path("t.sock"))
        .slice(0, Recorded.REQUEST);
  }

  @Test
  void anotherAddressIsClosedUnheard() throws Exception {
    Statistics statistics = peer.daemon().shared().statistics();
    long refusals = statistics.refusals();
    try (Peer.Link silent = peer.connectFrom("127.0.0.2")) {
      assertThat(silent.ended()).isTrue();
    }
    for (int i = 0; i < 20; i++) {
      try (Peer.Link stranger = peer.connectFrom("127.0.0.2")) {
        stranger.send(request());
        assertThat(stranger.ended()).isTrue();
      } catch (java.net.SocketException closedWhileSending) {
        // As it should be.
      }
    }
    assertThat(statistics.refusals() - refusals).isEqualTo(21);
    assertThat(statistics.sessions()).isEqualTo(1);
    assertThat(statistics.protocolErrors()).isZero();
    assertThat(listener.accept(false)).isNegative();
    assertPings();
  }

  @Test
  void garbageIsDroppedAtOnceAndCounted() throws Exception {
    Random random = new Random(7);
    List<byte[]> garbage = new ArrayList<>();
    garbage.add("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    garbage.add(new byte[4096]);
    for (int i = 0; i < 20; i++) {
      byte[] bytes = new byte[8 + random.nextInt(200)];
      random.nextBytes(bytes);
      bytes[3] |= 1; // never a msgtype
      garbage.add(bytes);
    }
    for (byte[] bytes : garbage) {
      try (Peer.Link peerGoneMad = peer.connect()) {
        peerGoneMad.send(bytes);
        assertThat(peerGoneMad.ended()).isTrue();
      }
    }
    assertThat(peer.daemon().shared().statistics().protocolErrors()).isEqualTo(garbage.size());
    assertPings();
  }

  @Test
  void garbageInASessionEndsThatSession() throws Exception {
    try (Peer.Link mad = peer.reach("t.sock");
        Fd itsTarget = ProxyPair.accept(listener)) {
      mad.send(Recorded.of("b01-connect-hello-reply", "tcp1.A-B").from(Recorded.REQUEST));
      mad.send(new byte[] {(byte) 0xb0, (byte) 0xa5, 0, 0, 0, 0, 0, 0});
      assertThat(Sockets.readAll(itsTarget)).isEqualTo("hello");
      assertThat(mad.ended()).isTrue();
    }
    assertThat(peer.daemon().shared().statistics().protocolErrors()).isEqualTo(1);
    assertPings();
  }

  @Test
  void halfARequestIsDroppedInTimeAndInNobodysWay() throws Exception {
    byte[] request = request();
    List<Peer.Link> stuck = new ArrayList<>();
    List<Fd> connectors = new ArrayList<>();
    try {
      for (int length = 0; length < 200; length++) {
        Peer.Link one = peer.connect();
        one.send(java.util.Arrays.copyOf(request, length % request.length));
        stuck.add(one);
      }
      byte[] asked = java.util.Arrays.copyOfRange(request, 8, 120);
      for (int length = 0; length < 112; length += 7) {
        connectors.add(peer.connector(java.util.Arrays.copyOf(asked, length)));
      }
      assertPings();
      try (Peer.Link another = peer.reach("t.sock");
          Fd itsTarget = ProxyPair.accept(listener)) {
        another.end();
        assertThat(Sockets.readAll(itsTarget)).isEmpty();
      }
      for (Peer.Link one : stuck) {
        assertThat(one.ended()).isTrue();
      }
      for (Fd connector : connectors) {
        assertThat(Sockets.read(connector, 4)).isEmpty();
      }
      assertPings();
    } finally {
      for (Peer.Link one : stuck) {
        one.hangUp();
      }
      Fd.closeAll(connectors);
    }
  }

  @Test
  void aPeerThatDoesNotAnswerIsGivenUp() throws Exception {
    try (Fd connector = peer.ask("t.sock");
        Peer.Link silent = peer.accept()) {
      silent.read(Recorded.REQUEST);
      silent.send(new byte[3]); // of the four
      assertThat(Sockets.read(connector, 5)).isEqualTo(new byte[4]);
      assertThat(silent.ended()).isTrue();
    }
    assertPings();
  }

  @Test
  void aTargetThatDoesNotAcceptIsGivenUp() throws Exception {
    List<Fd> waiting = new ArrayList<>();
    try (UnixListener full = UnixListener.bind(peer.path("full.sock"), 0)) {
      // The backlog of such a listener is one connection.
      for (boolean room = true; room; ) {
        Fd socket = UnixSocket.open(UnixSocket.Type.STREAM, false);
        waiting.add(socket);
        room = UnixSocket.connect(socket, full.path().toString()) == 0;
      }
      try (Peer.Link asking = peer.connect()) {
        asking.send(
            Recorded.of("b01-connect-hello-reply", "tcp1.A-B")
                .towards(full.path())
                .slice(0, Recorded.REQUEST));
        assertPings();
        assertThat(asking.readInt()).isEqualTo(PeerRequest.REFUSED);
        assertThat(asking.ended()).isTrue();
      }
    } finally {
      Fd.closeAll(waiting);
    }
  }
}
