package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import qtfs.linux.Fd;
import qtfs.linux.Spawn;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;
import qtfs.udsproxy.connector.ConnectRequest;
import qtfs.udsproxy.connector.Mark;

/**
 * A passed socket is fetched with its token, once, in time, or not at all; and a peer that stops in
 * the middle of passing something leaves nothing behind.
 */
final class SocketTokenTest extends ReachedTarget {
  private static final String HELLO = "b0a500000500000068656c6c6f";
  private static final int FD_SOCKET_LENGTH = 8 + 12;

  @Override
  Peer.Link reach() throws IOException {
    ByteBuffer request = ByteBuffer.allocate(120).order(ByteOrder.LITTLE_ENDIAN);
    request.putInt(PeerRequest.CNTL_UDS).putInt(112);
    String path = peer.path("t.sock").toString();
    request.put(new ConnectRequest(UnixSocket.Type.STREAM, path).encode(Mark.PROXY));
    Peer.Link reached = peer.connect();
    reached.send(request.array());
    assertThat(reached.readInt()).isEqualTo(PeerRequest.CONNECTED_EXTENDED);
    return reached;
  }

  private static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex.replace(" ", ""));
  }

  /** The target passes a socket; what the peer is told to fetch it with. */
  private long pass(Fd socket) throws IOException {
    Sockets.send(target, "hello", List.of(socket));
    ByteBuffer sent = ByteBuffer.wrap(link.read(FD_SOCKET_LENGTH)).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(sent.getInt(0)).isEqualTo(FdFrame.SOCKET);
    assertThat(link.read(13)).isEqualTo(bytes(HELLO));
    return sent.getLong(12);
  }

  private Peer.Link fetch(long token) throws IOException {
    ByteBuffer request = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    request.putInt(PeerRequest.CNTL_SOCK).putInt(8).putLong(token);
    Peer.Link fetching = peer.connect();
    fetching.send(request.array());
    return fetching;
  }

  private void assertRefused(long token) throws IOException {
    try (Peer.Link fetching = fetch(token)) {
      assertThat(fetching.ended()).isTrue();
    }
    assertSessionGoesOn();
  }

  private void assertSessionGoesOn() throws IOException {
    Sockets.write(target, "hello");
    assertThat(link.read(13)).isEqualTo(bytes(HELLO));
    link.send(bytes(HELLO));
    assertThat(Sockets.readText(target, 5)).isEqualTo("hello");
  }

  @Test
  void aTokenThatWasNeverAnnounced() throws Exception {
    try (UnixSocket.Pair pair = UnixSocket.pair()) {
      long token = pass(pair.first());
      for (long wrong : new long[] {0, 1, -1, token + 1, token - 1, token ^ 1L << 63, 11}) {
        assertRefused(wrong);
      }
    }
  }

  @Test
  void aTokenIsGoodOnce() throws Exception {
    try (UnixSocket.Pair pair = UnixSocket.pair()) {
      long token = pass(pair.first());
      pair.first().close();
      try (Peer.Link fetching = fetch(token)) {
        fetching.send(bytes(HELLO));
        assertThat(Sockets.readText(pair.second(), 5)).isEqualTo("hello");
        assertRefused(token);
        Sockets.write(pair.second(), "hello");
        assertThat(fetching.read(13)).isEqualTo(bytes(HELLO));
      }
      assertRefused(token);
      assertThat(Sockets.readAll(pair.second())).isEmpty();
    }
  }

  @Test
  void aTokenOfAPipeIsNoneOfASocket() throws Exception {
    try (qtfs.linux.Pipe pipe = qtfs.linux.Pipe.open()) {
      Sockets.send(target, "hello", List.of(pipe.read()));
      ByteBuffer sent = ByteBuffer.wrap(link.read(16)).order(ByteOrder.LITTLE_ENDIAN);
      assertThat(link.read(13)).isEqualTo(bytes(HELLO));
      assertRefused(sent.getInt(12));
      assertRefused(sent.getLong(8));
    }
  }

  @Test
  void tokensDiffer() throws Exception {
    try (UnixSocket.Pair pair = UnixSocket.pair()) {
      assertThat(List.of(pass(pair.first()), pass(pair.first()), pass(pair.second())))
          .doesNotHaveDuplicates();
    }
  }

  @Test
  void aTokenThatNobodyAsksForExpires() throws Exception {
    stop();
    start(SOON_EXPIRED);
    try (CapturedLog log = new CapturedLog();
        UnixSocket.Pair pair = UnixSocket.pair()) {
      long token = pass(pair.first());
      pair.first().close();
      assertThat(log.only("descriptor-refused")).contains("has not fetched a socket");
      assertThat(peer.daemon().shared().passedSockets().size()).isZero();
      assertRefused(token);
      assertThatThrownBy(() -> Sockets.write(pair.second(), "for nobody"))
          .hasMessageContaining("Broken pipe");
    }
  }

  /** What the proxy answers to an announced socket: a connection of its own with the token. */
  @Test
  void anAnnouncedSocketIsFetched() throws Exception {
    link.send(bytes("b9a500000c000000 00000000 8877665544332211" + HELLO));
    Sockets.Message message = Sockets.receive(target);
    try (Peer.Link fetching = peer.accept();
        Fd passed = message.fds().getFirst()) {
      assertThat(fetching.read(16)).isEqualTo(bytes("0300000008000000 8877665544332211"));
      Sockets.write(passed, "hello");
      assertThat(fetching.read(13)).isEqualTo(bytes(HELLO));
      fetching.hangUp(); // without a word: it knows no such token any more
      assertThat(Sockets.readAll(passed)).isEmpty();
    }
    assertSessionGoesOn();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "b9a500000c000000 00000000 8877665544332211",
        "baa5000014000000 02000000 0000000000000000 0500000000000000 bba5000003000000 616263",
        "baa5000014000000 02000000 0000000000000000 0200000000000000 bba5000002000000 6162",
        "baa5000014000000 02000000 0000000000000000 0500000000000000 bba5000003000000 61",
        "bca500001a000000 02000000 00200000 01000000 03000000 2f6465762f6e756c6c00",
        "b8a5000017000000 00000000 0000000000000000 2f6574632f686f73747300",
      })
  void aPeerThatStopsInBetweenLeavesNothing(String frames) throws Exception {
    int before = Spawn.openNumbers().size();
    for (int i = 0; i < 20; i++) {
      try (Peer.Link other = reach();
          Fd otherTarget = ProxyPair.accept(listener)) {
        other.send(bytes(frames));
        if (frames.startsWith("b9")) {
          peer.accept().close();
        }
        other.hangUp();
        assertThat(Sockets.readAll(otherTarget)).isEmpty();
      }
    }
    Await.until("back to " + before, () -> Spawn.openNumbers().size() <= before);
    assertSessionGoesOn();
  }

  @Test
  void contentThatCannotBeHadIsToldAndTheMessageGoesOn() throws Exception {
    try (CapturedLog log = new CapturedLog()) {
      link.send(
          bytes(
              "baa5000014000000 02000000 0000000000000000 0500000000000000"
                  + "bba5000003000000 616263 bba5000000000000"
                  + "bca500001a000000 02000000 00200000 01000000 03000000 2f6465762f6e756c6c00"
                  + HELLO));
      Sockets.Message message = Sockets.receive(target);
      assertThat(message.text()).isEqualTo("hello");
      assertThat(message.fds()).hasSize(1);
      Fd.closeAll(message.fds());
      assertThat(log.only("descriptor-refused")).contains("become shorter");
    }
  }

  @Test
  void moreContentThanAMessageMayHaveEndsTheSession() throws Exception {
    String empty = "baa5000014000000 02000000 0000000000000000 0000000400000000 bba5000000000000";
    link.send(bytes(empty));
    link.send(bytes("baa5000014000000 02000000 0000000000000000 0100000000000000"));
    assertThat(link.ended()).isTrue();
    assertThat(Sockets.readAll(target)).isEmpty();
  }

  @Test
  void twoHundredFiftyFourEndTheSession() throws Exception {
    byte[] one = bytes("bca500001a000000 02000000 00200000 01000000 03000000 2f6465762f6e756c6c00");
    byte[] many = new byte[254 * one.length];
    for (int i = 0; i < 254; i++) {
      System.arraycopy(one, 0, many, i * one.length, one.length);
    }
    int before = Spawn.openNumbers().size();
    link.send(Arrays.copyOf(many, 253 * one.length));
    link.send(bytes(HELLO));
    Sockets.Message message = Sockets.receive(target);
    assertThat(message.fds()).hasSize(253);
    Fd.closeAll(message.fds());
    link.send(many);
    assertThat(link.ended()).isTrue();
    Await.until("back to " + before, () -> Spawn.openNumbers().size() <= before);
  }
}
