package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.Pipe;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;
import qtfs.udsproxy.connector.ConnectRequest;

/**
 * The deployed daemon at the other end, played from its records: it is answered, byte for byte, as
 * its own kind answered it. Streams are sent in one piece and a byte at a time.
 */
final class RecordedPeerTest {
  @TempDir Path directory;
  private Peer peer;

  @BeforeEach
  void start() throws Exception {
    peer = Peer.open(directory);
  }

  @AfterEach
  void stop() throws Exception {
    peer.close();
  }

  // ---- the deployed daemon asks, ours answers

  /** The asking daemon's whole stream, sent; the target's side of it is the test's. */
  private Peer.Link asks(String scene, boolean split) throws Exception {
    Peer.Link link = peer.connect();
    byte[] stream = fromA(scene).bytes();
    if (split) {
      link.sendByteByByte(stream);
    } else {
      link.send(stream);
    }
    return link;
  }

  private Recorded fromA(String scene) throws Exception {
    return Recorded.of(scene, "tcp1.A-B")
        .towards(peer.path("t.sock"))
        .passing(peer.path("reg.txt"));
  }

  private static void assertAnswered(Peer.Link link, String scene) throws Exception {
    byte[] expected = Recorded.of(scene, "tcp1.B-A").bytes();
    assertThat(link.read(expected.length)).isEqualTo(expected);
  }

  /** The asking daemon closes: so does ours, and the target sees the end. */
  private static void assertEnds(Peer.Link link, Fd target) throws Exception {
    link.end();
    assertThat(Sockets.readAll(target)).isEmpty();
    target.close();
    assertThat(link.ended()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void b01HelloAndReply(boolean split) throws Exception {
    try (UnixListener listener = peer.listen("t.sock");
        Peer.Link link = asks("b01-connect-hello-reply", split);
        Fd target = ProxyPair.accept(listener)) {
      assertThat(Sockets.readText(target, 5)).isEqualTo("hello");
      Sockets.write(target, "world!");
      assertAnswered(link, "b01-connect-hello-reply");
      assertEnds(link, target);
    }
  }

  @Test
  void b02TheTargetIsMissing() throws Exception {
    try (Peer.Link link = asks("b02-connect-target-missing", false)) {
      assertAnswered(link, "b02-connect-target-missing");
      assertThat(link.ended()).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void b03TenThousandBytesInThreeFrames(boolean split) throws Exception {
    try (UnixListener listener = peer.listen("t.sock");
        Peer.Link link = asks("b03-payload-10000", split);
        Fd target = ProxyPair.accept(listener)) {
      byte[] payload = Sockets.read(target, 10_000);
      for (int i = 0; i < payload.length; i++) {
        assertThat(payload[i]).isEqualTo((byte) ((i * 7 + 3) % 251));
      }
      byte[] reversed = new byte[payload.length];
      for (int i = 0; i < payload.length; i++) {
        reversed[i] = payload[payload.length - 1 - i];
      }
      Sockets.write(target, reversed);
      assertAnswered(link, "b03-payload-10000");
      assertEnds(link, target);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void b04ARegularFile(boolean split) throws Exception {
    Files.writeString(peer.path("reg.txt"), "content");
    try (UnixListener listener = peer.listen("t.sock");
        Peer.Link link = asks("b04-scm-regular-file", split);
        Fd target = ProxyPair.accept(listener)) {
      Sockets.Message message = received(target, "hello");
      assertThat(message.text()).isEqualTo("hello");
      assertThat(message.fds()).hasSize(1);
      try (Fd file = message.fds().get(0)) {
        assertThat(Sockets.readText(file, 7)).isEqualTo("content");
      }
      Sockets.write(target, "ok");
      assertAnswered(link, "b04-scm-regular-file");
      assertEnds(link, target);
    }
  }

  @Test
  void b05TheReadEndOfAPipe() throws Exception {
    String scene = "b05-scm-pipe-read";
    try (UnixListener listener = peer.listen("t.sock");
        Peer.Link link = asks(scene, false);
        Fd target = ProxyPair.accept(listener);
        Peer.Link pipe = peer.accept()) {
      Sockets.Message message = Sockets.receive(target);
      assertThat(message.text()).isEqualTo("hello");
      assertThat(pipe.read(16)).isEqualTo(Recorded.of(scene, "tcp2.B-A").bytes());
      try (Fd received = message.fds().get(0)) {
        pipe.send(Recorded.of(scene, "tcp2.A-B").bytes());
        pipe.hangUp();
        assertThat(Sockets.readAll(received)).isEqualTo("through the pipe");
      }
      Sockets.write(target, "ok");
      assertThat(link.read(22)).isEqualTo(Recorded.of(scene, "tcp1.B-A").slice(0, 22));
      Sockets.write(target, "eof");
      assertThat(link.read(19)).isEqualTo(Recorded.of(scene, "tcp1.B-A").from(22));
      assertEnds(link, target);
    }
  }

  @Test
  void b06TheWriteEndOfAPipe() throws Exception {
    String scene = "b06-scm-pipe-write";
    try (UnixListener listener = peer.listen("t.sock");
        Peer.Link link = asks(scene, false);
        Fd target = ProxyPair.accept(listener);
        Peer.Link pipe = peer.accept()) {
      try (Fd received = Sockets.receive(target).fds().get(0)) {
        Sockets.write(received, "from B");
      }
      byte[] expected = Recorded.of(scene, "tcp2.B-A").bytes();
      assertThat(pipe.read(expected.length)).isEqualTo(expected);
      assertThat(pipe.ended()).isTrue();
      Sockets.write(target, "ok");
      assertAnswered(link, scene);
      assertEnds(link, target);
    }
  }

  @Test
  void b08TheTargetClosesFirst() throws Exception {
    try (UnixListener listener = peer.listen("t.sock");
        Peer.Link link = asks("b08-target-closes-first", false)) {
      try (Fd target = ProxyPair.accept(listener)) {
        Sockets.write(target, "bye");
      }
      assertAnswered(link, "b08-target-closes-first");
      assertThat(link.ended()).isTrue();
    }
  }

  @Test
  void b09TheAskingDaemonClosesAtAHalfClose() throws Exception {
    try (UnixListener listener = peer.listen("t.sock");
        Peer.Link link = asks("b09-half-close", false);
        Fd target = ProxyPair.accept(listener)) {
      link.hangUp();
      assertThat(Sockets.readAll(target)).isEqualTo("hello");
      Sockets.write(target, "late");
      Await.until("the session ends", () -> peer.daemon().shared().relays().isEmpty());
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void b10ADescriptorWhoseByteTheSenderDropped(boolean split) throws Exception {
    Files.writeString(peer.path("reg.txt"), "content");
    try (UnixListener listener = peer.listen("t.sock");
        Peer.Link link = asks("b10-scm-one-byte", split);
        Fd target = ProxyPair.accept(listener)) {
      assertThat(Sockets.readText(target, 5)).isEqualTo("SECRT");
      Sockets.write(target, "1");
      Sockets.Message message = Sockets.receive(target);
      // A byte of nobody's, above all not of an earlier message.
      assertThat(message.text()).isEqualTo("\0");
      assertThat(message.fds()).hasSize(1);
      message.fds().get(0).close();
      assertThat(link.read(4 + 17))
          .isEqualTo(Recorded.of("b10-scm-one-byte", "tcp1.B-A").slice(0, 21));
      Sockets.write(target, "2");
      assertThat(link.read(17)).isEqualTo(Recorded.of("b10-scm-one-byte", "tcp1.B-A").from(21));
      assertEnds(link, target);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void b11TwoFilesInTwoMessages(boolean split) throws Exception {
    Files.writeString(peer.path("reg.txt"), "content");
    try (UnixListener listener = peer.listen("t.sock");
        Peer.Link link = asks("b11-scm-two-files-two-messages", split);
        Fd target = ProxyPair.accept(listener)) {
      assertMessage(received(target, "one"), "one", Fd.O_RDONLY);
      assertMessage(received(target, "two"), "two", Fd.O_RDWR | Fd.O_APPEND);
      assertThat(link.readInt()).isZero();
      assertEnds(link, target);
    }
  }

  /** As much as a text: a stream from a peer that sends byte by byte may come in pieces. */
  private static Sockets.Message received(Fd target, String text) throws Exception {
    Sockets.Message first = Sockets.receive(target);
    String rest = Sockets.readText(target, text.length() - first.text().length());
    return new Sockets.Message(first.text() + rest, first.fds());
  }

  private static void assertMessage(Sockets.Message message, String text, int flags)
      throws Exception {
    assertThat(message.text()).isEqualTo(text);
    assertThat(message.fds()).hasSize(1);
    try (Fd fd = message.fds().get(0)) {
      assertThat(Fcntl.statusFlags(fd) & (Fd.O_ACCMODE | Fd.O_APPEND)).isEqualTo(flags);
    }
  }

  // ---- an application asks ours, the deployed daemon answers

  /** An application connected through our proxy; its peer has read the request it expects. */
  private record Asked(Peer.Link link, Fd application) implements AutoCloseable {
    @Override
    public void close() throws IOException {
      application.close();
      link.close();
    }
  }

  private Asked asked(String scene, int alreadySent) throws Exception {
    try (Fd connector =
        peer.connector(Recorded.of(scene, "ctl.app-A").towards(peer.path("t.sock")).bytes())) {
      Peer.Link link = peer.accept();
      assertThat(link.read(120)).isEqualTo(fromA(scene).marked().slice(0, 120));
      link.send(Recorded.of(scene, "tcp1.B-A"), 0, alreadySent);
      assertThat(Sockets.read(connector, 5)).isEqualTo(new byte[] {1, 0, 0, 0});
      return new Asked(link, peer.application("t.sock"));
    }
  }

  /** Our proxy's frames are the recorded ones. */
  private void assertSent(Peer.Link link, String scene) throws Exception {
    byte[] expected = fromA(scene).from(Recorded.REQUEST);
    assertThat(link.read(expected.length)).isEqualTo(expected);
  }

  private static void replies(Peer.Link link, String scene, boolean split) throws Exception {
    byte[] stream = Recorded.of(scene, "tcp1.B-A").from(PeerRequest.ANSWER_LENGTH);
    if (split) {
      link.sendByteByByte(stream);
    } else {
      link.send(stream);
    }
  }

  private static void assertApplicationEnds(Asked asked) throws Exception {
    asked.application().close();
    assertThat(asked.link().ended()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void helloAndReplyToTheApplication(boolean split) throws Exception {
    try (Asked asked = asked("b01-connect-hello-reply", 4)) {
      Sockets.write(asked.application(), "hello");
      assertSent(asked.link(), "b01-connect-hello-reply");
      replies(asked.link(), "b01-connect-hello-reply", split);
      assertThat(Sockets.readText(asked.application(), 6)).isEqualTo("world!");
      assertApplicationEnds(asked);
    }
  }

  @Test
  void theLibrarysUninitialisedBytesDoNotMatter() throws Exception {
    byte[] request =
        Recorded.of("b01-connect-hello-reply", "ctl.app-A").towards(peer.path("t.sock")).bytes();
    request[2] = (byte) 0xca;
    request[3] = 0x1f;
    try (Fd connector = peer.connector(request);
        Peer.Link link = peer.accept()) {
      link.read(120);
      link.send(new byte[4]);
      assertThat(Sockets.read(connector, 4)).isEqualTo(new byte[] {1, 0, 0, 0});
    }
  }

  @Test
  void refusedByThePeer() throws Exception {
    try (Fd connector = peer.ask("t.sock");
        Peer.Link link = peer.accept()) {
      link.read(120);
      link.send(Recorded.of("b02-connect-target-missing", "tcp1.B-A").bytes());
      assertThat(Sockets.read(connector, 5)).isEqualTo(new byte[4]);
      assertThat(link.ended()).isTrue();
      assertThat(peer.path("t.sock.proxy")).doesNotExist();
    }
  }

  @Test
  void closedByThePeerWithoutAnAnswer() throws Exception {
    try (Fd connector = peer.ask("t.sock")) {
      peer.accept().close();
      assertThat(Sockets.read(connector, 5)).isEqualTo(new byte[4]);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void tenThousandBytesOfTheApplication(boolean split) throws Exception {
    byte[] payload = new byte[10_000];
    for (int i = 0; i < payload.length; i++) {
      payload[i] = (byte) ((i * 7 + 3) % 251);
    }
    try (Asked asked = asked("b03-payload-10000", 4)) {
      Sockets.write(asked.application(), payload);
      assertSent(asked.link(), "b03-payload-10000");
      replies(asked.link(), "b03-payload-10000", split);
      byte[] reply = Sockets.read(asked.application(), payload.length);
      for (int i = 0; i < payload.length; i++) {
        assertThat(reply[i]).isEqualTo(payload[payload.length - 1 - i]);
      }
      assertApplicationEnds(asked);
    }
  }

  @Test
  void theApplicationsFile() throws Exception {
    Path file = Files.writeString(peer.path("reg.txt"), "content");
    try (Asked asked = asked("b04-scm-regular-file", 4);
        Fd fd = Fd.open(file, Fd.O_RDONLY | 0100000)) {
      Sockets.send(asked.application(), "hello", List.of(fd));
      assertSent(asked.link(), "b04-scm-regular-file");
      replies(asked.link(), "b04-scm-regular-file", false);
      assertThat(Sockets.readText(asked.application(), 2)).isEqualTo("ok");
      assertApplicationEnds(asked);
    }
  }

  @Test
  void theApplicationsPipeToRead() throws Exception {
    String scene = "b05-scm-pipe-read";
    try (Asked asked = asked(scene, 4);
        Pipe pipe = Pipe.open()) {
      Sockets.send(asked.application(), "hello", List.of(pipe.read()));
      pipe.read().close();
      try (Peer.Link fetching = fetch(asked, scene)) {
        Sockets.write(pipe.write(), "through the pipe");
        assertThat(fetching.read(16)).isEqualTo(Recorded.of(scene, "tcp2.A-B").bytes());
        pipe.write().close();
        assertThat(fetching.ended()).isTrue();
      }
      assertApplicationEnds(asked);
    }
  }

  @Test
  void theApplicationsPipeToWrite() throws Exception {
    String scene = "b06-scm-pipe-write";
    try (Asked asked = asked(scene, 4);
        Pipe pipe = Pipe.open()) {
      Sockets.send(asked.application(), "hello", List.of(pipe.write()));
      pipe.write().close();
      try (Peer.Link fetching = fetch(asked, scene)) {
        fetching.send(Recorded.of(scene, "tcp2.B-A").from(16));
      }
      assertThat(Sockets.readAll(pipe.read())).isEqualTo("from B");
      assertApplicationEnds(asked);
    }
  }

  /** Reads the announcement, which is the recorded one but for the number, and asks for it. */
  private Peer.Link fetch(Asked asked, String scene) throws Exception {
    byte[] expected = fromA(scene).from(Recorded.REQUEST);
    byte[] sent = asked.link().read(expected.length);
    byte[] srcfd = Arrays.copyOfRange(sent, 12, 16);
    System.arraycopy(srcfd, 0, expected, 12, 4);
    assertThat(sent).isEqualTo(expected);
    byte[] request = Recorded.of(scene, "tcp2.B-A").slice(0, 16);
    System.arraycopy(srcfd, 0, request, 12, 4);
    Peer.Link link = peer.connect();
    link.send(request);
    return link;
  }

  @Test
  void theTargetsLastWordsArriveBeforeItsEnd() throws Exception {
    Recorded stream = Recorded.of("b08-target-closes-first", "tcp1.B-A");
    try (Asked asked = asked("b08-target-closes-first", stream.bytes().length)) {
      asked.link().end();
      assertThat(Sockets.readAll(asked.application())).isEqualTo("bye");
      assertApplicationEnds(asked);
    }
  }

  @Test
  void theTargetIsGoneBeforeTheApplicationHasCome() throws Exception {
    Recorded stream = Recorded.of("b08-target-closes-first", "tcp1.B-A");
    try (Fd connector = peer.ask("t.sock");
        Peer.Link link = peer.accept()) {
      link.read(120);
      link.send(stream.bytes());
      link.end();
      assertThat(Sockets.read(connector, 4)).isEqualTo(new byte[] {1, 0, 0, 0});
      try (Fd application = peer.application("t.sock")) {
        assertThat(Sockets.readAll(application)).isEqualTo("bye");
      }
    }
  }

  @Test
  void aHalfCloseMakesTheDeployedDaemonCloseAndThatIsTheEnd() throws Exception {
    try (Asked asked = asked("b09-half-close", 4)) {
      Sockets.write(asked.application(), "hello");
      UnixSocket.shutdownWrite(asked.application());
      assertSent(asked.link(), "b09-half-close");
      assertThat(asked.link().ended()).isTrue();
      asked.link().hangUp();
      assertThat(Sockets.readAll(asked.application())).isEmpty();
    }
  }

  @Test
  void ourByteBesideADescriptorIsSent() throws Exception {
    // What the deployed daemon would send is recorded in b10, without the byte.
    Path file = Files.writeString(peer.path("reg.txt"), "content");
    try (Asked asked = asked("b04-scm-regular-file", 4);
        Fd fd = Fd.open(file, Fd.O_RDONLY | 0100000)) {
      Sockets.send(asked.application(), "A", List.of(fd));
      byte[] withFive = fromA("b04-scm-regular-file").from(Recorded.REQUEST);
      byte[] announcement = Arrays.copyOf(withFive, withFive.length - 13 - 8);
      assertThat(asked.link().read(announcement.length)).isEqualTo(announcement);
      assertThat(asked.link().read(17))
          .isEqualTo(java.util.HexFormat.of().parseHex("a5a500000100000041aba5000000000000"));
    }
  }

  @Test
  void aSocketStaysBehind() throws Exception {
    try (Asked asked = asked("b12-scm-socket", 4);
        UnixSocket.Pair pair = UnixSocket.pair()) {
      Sockets.send(asked.application(), "hello", List.of(pair.first()));
      assertSent(asked.link(), "b12-scm-socket");
      assertApplicationEnds(asked);
    }
  }

  /** What the deployed daemon asked for too, before it failed to listen. */
  @Test
  void b07ADatagramSocketIsAskedFor() throws Exception {
    String scene = "b07-dgram-attempt";
    Path path = peer.path("d.sock");
    try (Fd connector = peer.connector(Recorded.of(scene, "ctl.app-A").towards(path).bytes());
        Peer.Link link = peer.accept()) {
      assertThat(link.read(120))
          .isEqualTo(Recorded.of(scene, "tcp1.A-B").towards(path).marked().bytes());
      link.send(Recorded.of(scene, "tcp1.B-A").slice(0, 4));
      assertThat(Sockets.read(connector, 5)).isEqualTo(new byte[] {1, 0, 0, 0});
      try (Fd application =
          UnixSocket.connect(UnixSocket.Type.DGRAM, path + ConnectRequest.PROXY_SUFFIX)) {
        Sockets.send(application, "hello", List.of());
        assertThat(link.read(21))
            .isEqualTo(
                java.util.HexFormat.of().parseHex("a5a500000500000068656c6c6faba5000000000000"));
      }
    }
  }

  // ---- connectors that are refused

  @ParameterizedTest
  @ValueSource(strings = {"a02-path-102"})
  void refusedWithoutAskingThePeer(String scene) throws Exception {
    try (Fd connector = peer.connector(Recorded.of(scene, "ctl.app-A").bytes())) {
      assertThat(Sockets.read(connector, 5)).isEqualTo(new byte[4]);
      assertThat(peer.isAsked()).isFalse();
    }
  }

  @Test
  void a03ARequestThatEndsIsNotAnswered() throws Exception {
    try (Fd connector = peer.connector(Recorded.of("a03-short-request", "ctl.app-A").bytes())) {
      UnixSocket.shutdownWrite(connector);
      assertThat(Sockets.read(connector, 4)).isEmpty();
      assertThat(peer.isAsked()).isFalse();
    }
  }

  @Test
  void a05TheDirectoryIsMissingHere() throws Exception {
    String scene = "a05-dir-missing-on-A";
    Path missing = peer.path("only/t.sock");
    try (Fd connector = peer.connector(Recorded.of(scene, "ctl.app-A").towards(missing).bytes());
        Peer.Link link = peer.accept()) {
      assertThat(link.read(120))
          .isEqualTo(Recorded.of(scene, "tcp1.A-B").towards(missing).marked().bytes());
      link.send(Recorded.of(scene, "tcp1.B-A").bytes());
      assertThat(Sockets.read(connector, 5)).isEqualTo(new byte[4]);
      assertThat(link.ended()).isTrue();
    }
  }
}
