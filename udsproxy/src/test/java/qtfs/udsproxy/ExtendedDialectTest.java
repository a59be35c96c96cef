package qtfs.udsproxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;
import qtfs.udsproxy.connector.ConnectRequest;
import qtfs.udsproxy.connector.Mark;

/** The extended dialect on the wire, as a peer sees it that speaks it too. */
final class ExtendedDialectTest {
  private static final String CONNECTED = "51545801";
  private static final String HELLO = "b0a500000500000068656c6c6f";
  private static final String EOF = "b1a5000000000000";
  private static final String GONE = "b2a500000400000000000000";
  private static final String RESET = "b2a500000400000068000000";

  @TempDir Path directory;
  private Peer peer;

  @BeforeEach
  void open() throws Exception {
    peer = Peer.open(directory);
  }

  @AfterEach
  void close() throws Exception {
    peer.close();
  }

  private static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex.replace(" ", ""));
  }

  private static void assertNext(Peer.Link link, String hex) throws Exception {
    assertThat(HexFormat.of().formatHex(link.read(hex.length() / 2))).isEqualTo(hex);
  }

  private static int length(byte[] header) {
    return ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).getInt(4);
  }

  private byte[] request(String name) {
    ByteBuffer request = ByteBuffer.allocate(120).order(ByteOrder.LITTLE_ENDIAN);
    request.putInt(PeerRequest.CNTL_UDS).putInt(112);
    return request
        .put(
            new ConnectRequest(UnixSocket.Type.STREAM, peer.path(name).toString())
                .encode(Mark.PROXY))
        .array();
  }

  /** Is led to a socket of the proxy's host. */
  private Peer.Link reach(String name) throws Exception {
    Peer.Link link = peer.connect();
    link.send(request(name));
    assertNext(link, CONNECTED);
    return link;
  }

  private record Asked(Peer.Link link, Fd application) implements AutoCloseable {
    @Override
    public void close() throws java.io.IOException {
      application.close();
      link.close();
    }
  }

  /** An application of the proxy's host is connected. */
  private Asked asked() throws Exception {
    try (Fd connector = peer.ask("t.sock")) {
      Peer.Link link = peer.accept();
      assertThat(link.read(120)).isEqualTo(request("t.sock"));
      link.send(bytes(CONNECTED));
      assertThat(Sockets.read(connector, 5)).isEqualTo(new byte[] {1, 0, 0, 0});
      Fd application = peer.application("t.sock");
      byte[] header = link.read(8);
      assertThat(Arrays.copyOf(header, 4)).isEqualTo(bytes("b3a50000"));
      byte[] from = link.read(length(header));
      ByteBuffer fields = ByteBuffer.wrap(from).order(ByteOrder.LITTLE_ENDIAN);
      assertThat(fields.getInt(0))
          .isZero(); // this test runs as root, or is not this one's business
      assertThat((long) fields.getInt(8)).isEqualTo(ProcessHandle.current().pid());
      String comm = Files.readString(Path.of("/proc/self/comm")).strip();
      assertThat(new String(from, 12, from.length - 12, UTF_8)).isEqualTo(comm);
      return new Asked(link, application);
    }
  }

  @Test
  void anApplicationsBytesAndEndAndClose() throws Exception {
    try (Asked asked = asked()) {
      Sockets.write(asked.application(), "hello");
      assertNext(asked.link(), HELLO);
      UnixSocket.shutdownWrite(asked.application());
      assertNext(asked.link(), EOF);
      asked.link().send(bytes(HELLO));
      assertThat(Sockets.readText(asked.application(), 5)).isEqualTo("hello");
      asked.application().close();
      assertNext(asked.link(), GONE);
      asked.link().end();
      assertThat(asked.link().ended()).isTrue();
    }
  }

  @Test
  void aCloseWithoutAnEndBefore() throws Exception {
    try (Asked asked = asked()) {
      Sockets.write(asked.application(), "hello");
      asked.application().close();
      assertNext(asked.link(), HELLO + GONE);
      asked.link().send(bytes(HELLO + GONE)); // gone at the same moment
      assertThat(asked.link().ended()).isTrue();
    }
  }

  @Test
  void aCloseWithUnreadBytesIsAReset() throws Exception {
    try (Asked asked = asked()) {
      asked.link().send(bytes(HELLO));
      assertThat(ProxyPair.readable(asked.application())).isTrue();
      asked.application().close();
      assertNext(asked.link(), RESET);
    }
  }

  @Test
  void aPeersEndLetsTheAnswerThroughAndBothEndsAreTheEnd() throws Exception {
    try (UnixListener listener = peer.listen("t.sock");
        Peer.Link link = reach("t.sock");
        Fd target = ProxyPair.accept(listener)) {
      link.send(bytes(HELLO + EOF));
      assertThat(Sockets.readAll(target)).isEqualTo("hello");
      Sockets.write(target, "hello");
      assertNext(link, HELLO);
      UnixSocket.shutdownWrite(target);
      assertNext(link, EOF);
      assertThat(link.ended()).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {GONE, RESET})
  void aPeerThatIsGoneClosesTheTargetAfterItsLastBytes(String end) throws Exception {
    try (UnixListener listener = peer.listen("t.sock");
        Peer.Link link = reach("t.sock");
        Fd target = ProxyPair.accept(listener)) {
      link.send(bytes(HELLO + end));
      assertThat(Sockets.readAll(target)).isEqualTo("hello");
      assertThat(link.ended()).isTrue();
      Await.until("the session ends", () -> peer.daemon().shared().relays().isEmpty());
      assertThat(writeError(target)).isEqualTo("Broken pipe");
    }
  }

  /** What a unix socket needs to be reset is a byte that the proxy has not read. */
  @Test
  void aPeerThatIsResetWhileTheTargetWritesResetsIt() throws Exception {
    try (UnixListener listener = peer.listen("t.sock");
        Peer.Link link = reach("t.sock");
        Fd target = ProxyPair.accept(listener)) {
      SlowReaderTest.fill(target);
      link.send(bytes(RESET));
      Await.until("the session ends", () -> peer.daemon().shared().relays().isEmpty());
      assertThat(readError(target)).isEqualTo("Connection reset by peer");
    }
  }

  private static String writeError(Fd fd) {
    try {
      Sockets.write(fd, "x");
      return "none";
    } catch (java.io.IOException e) {
      return String.valueOf(e.getMessage());
    }
  }

  private static String readError(Fd fd) {
    try {
      Sockets.readAll(fd);
      return "none";
    } catch (java.io.IOException e) {
      return String.valueOf(e.getMessage());
    }
  }

  @Test
  void aLinkThatEndsWithoutAWordIsLost() throws Exception {
    try (UnixListener listener = peer.listen("t.sock");
        Peer.Link link = reach("t.sock");
        Fd target = ProxyPair.accept(listener)) {
      link.send(bytes(HELLO));
      link.hangUp();
      assertThat(Sockets.readAll(target)).isEqualTo("hello");
      Await.until("the session ends", () -> peer.daemon().shared().relays().isEmpty());
    }
  }

  @Test
  void whoHasAskedIsKnown() throws Exception {
    try (UnixListener listener = peer.listen("t.sock");
        Peer.Link link = reach("t.sock");
        Fd _ = ProxyPair.accept(listener)) {
      link.send(bytes("b3a5000014000000 e8030000 64000000 4d000000 71656d752d6b766d"));
      Await.until("the session is there", () -> !peer.daemon().shared().relays().isEmpty());
      Await.until("it is told", () -> session().entry().requester() != null);
      assertThat(session().entry().info().requester())
          .isEqualTo(new Requester(77, 1000, 100, "qemu-kvm"));
      assertThat(session().entry().info().dialect()).isEqualTo("extended");
    }
  }

  private Session session() {
    return (Session) peer.daemon().shared().relays().iterator().next();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a5a500000100000041", // NORMAL
        "aba5000000000000", // END
        "b4a5000000000000",
        "b8a5000000000000",
        "bba5000000000000", // CONTENT of nothing
        "bda5000000000000",
        "b0a5000001000100", // PAYLOAD of 65537
        "b1a5000000000000 b0a500000100000041", // PAYLOAD behind EOF
        "b1a5000000000000 aaa500000800000000000000 01000000", // SCM_PIPE behind EOF
        "b3a500000c000000 000000000000000000000000 b3a500000c000000 000000000000000000000000",
      })
  void whatTheDialectDoesNotHaveEndsThatSessionOnly(String frames) throws Exception {
    try (UnixListener listener = peer.listen("t.sock");
        Peer.Link link = reach("t.sock");
        Fd target = ProxyPair.accept(listener);
        Peer.Link other = reach("t.sock");
        Fd otherTarget = ProxyPair.accept(listener)) {
      long errors = peer.daemon().shared().statistics().protocolErrors();
      link.send(bytes(frames));
      assertThat(link.ended()).isTrue();
      assertThat(Sockets.readAll(target)).isEmpty();
      assertThat(peer.daemon().shared().statistics().protocolErrors()).isEqualTo(errors + 1);
      other.send(bytes(HELLO));
      assertThat(Sockets.readText(otherTarget, 5)).isEqualTo("hello");
    }
  }

  @Test
  void aRefusalTellsTheErrno() throws Exception {
    assertThat(refusal(request("missing.sock"))).isEqualTo(-Errno.ENOENT);
    Files.writeString(peer.path("plain"), "");
    assertThat(refusal(request("plain"))).isEqualTo(-Errno.ECONNREFUSED);
    assertThat(refusal(request("../elsewhere"))).isEqualTo(-Errno.EACCES);
  }

  private int refusal(byte[] request) throws Exception {
    try (Peer.Link link = peer.connect()) {
      link.send(request);
      int answer = link.readInt();
      assertThat(link.ended()).isTrue();
      return answer;
    }
  }

  @Test
  void theConnectorIsToldTheErrnoIfItUnderstands() throws Exception {
    ConnectRequest request =
        new ConnectRequest(UnixSocket.Type.STREAM, peer.path("t.sock").toString());
    assertThat(answer(request.encode(Mark.CONNECTOR), -Errno.EACCES)).isEqualTo(-Errno.EACCES);
    assertThat(answer(request.encode(Mark.CONNECTOR), -1)).isZero();
    assertThat(answer(request.encode(Mark.NONE), -Errno.EACCES)).isZero();
  }

  @Test
  void theConnectorIsToldTheDialectIfItUnderstands() throws Exception {
    ConnectRequest request =
        new ConnectRequest(UnixSocket.Type.STREAM, peer.path("t.sock").toString());
    int extended = PeerRequest.CONNECTED_EXTENDED;
    assertThat(answer(request.encode(Mark.CONNECTOR), extended)).isEqualTo(2);
    assertThat(answer(request.encode(Mark.CONNECTOR), 0)).isEqualTo(1);
    assertThat(answer(request.encode(Mark.NONE), extended)).isEqualTo(1);
    // As ours said it before there was the flag.
    byte[] withoutFlag = request.encode(Mark.CONNECTOR);
    withoutFlag[109] = 0;
    assertThat(answer(withoutFlag, extended)).isEqualTo(1);
  }

  /** What a connector is answered if the peer answers its proxy this. */
  private int answer(byte[] request, int peers) throws Exception {
    try (Fd connector = peer.connector(request);
        Peer.Link link = peer.accept()) {
      assertThat(link.read(120)).isEqualTo(request("t.sock")); // with no mark but the proxy's own
      link.send(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(peers).array());
      byte[] answer = Sockets.read(connector, 5);
      return ByteBuffer.wrap(answer).order(ByteOrder.LITTLE_ENDIAN).getInt();
    }
  }

  @Test
  void descriptorsGoWithTheNextPayload() throws Exception {
    Path file = Files.writeString(peer.path("reg.txt"), "content");
    try (Asked asked = asked();
        Fd fd = Fd.open(file, Fd.O_RDONLY)) {
      Sockets.send(asked.application(), "hello", List.of(fd));
      byte[] header = asked.link().read(8);
      assertThat(Arrays.copyOf(header, 4)).isEqualTo(bytes("b8a50000"));
      asked.link().read(length(header));
      assertNext(asked.link(), HELLO);
    }
  }
}
