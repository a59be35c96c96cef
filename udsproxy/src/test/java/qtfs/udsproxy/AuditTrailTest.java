package qtfs.udsproxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.concurrent.DefaultEventExecutor;
import io.netty.util.concurrent.EventExecutor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.Fd;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;
import qtfs.udsproxy.connector.ConnectRequest;

/** Each session's start, refusal and end is one line; nobody's payload ever is, and no control. */
final class AuditTrailTest {
  private static final String SECRET = "correct horse battery staple";

  @TempDir Path directory;
  private CapturedLog log;

  @BeforeEach
  void capture() {
    log = new CapturedLog();
  }

  @AfterEach
  void release() {
    log.close();
  }

  @Test
  void aSessionFromItsStartToItsEndOnBothSides() throws Exception {
    try (ProxyPair proxies = ProxyPair.open(directory);
        UnixListener listener = proxies.listen("t.sock")) {
      try (Fd application = proxies.connect("t.sock");
          Fd target = ProxyPair.accept(listener)) {
        Sockets.write(application, SECRET);
        assertThat(Sockets.readText(target, SECRET.length())).isEqualTo(SECRET);
        Await.until("both have told its start", () -> log.audit("session-start").size() == 2);
      }
      Await.until("both have ended", () -> log.audit("session-end").size() == 2);
      String path = " path=" + proxies.path("t.sock");
      int b = proxies.b().port();
      assertThat(log.audit("session-start"))
          .hasSize(2)
          .anySatisfy(
              line ->
                  assertThat(line)
                      .startsWith(
                          "session-start session=1 direction=outgoing"
                              + (path + " peer=127.0.0.1:" + b)
                              + " dialect=")
                      .contains(" pid=" + ProcessHandle.current().pid() + " uid=0 gid=0 command="))
          .anySatisfy(
              line ->
                  assertThat(line).startsWith("session-start session=1 direction=incoming" + path));
      int length = SECRET.length();
      assertThat(log.audit("session-end"))
          .anySatisfy(
              line ->
                  assertThat(line)
                      .matches(
                          "session-end session=1 direction=outgoing"
                              + path
                              + " reason=\\S.* seconds=\\d+\\.\\d{3} bytes_to_peer="
                              + (length + " bytes_from_peer=0 fds_to_peer=0 fds_from_peer=0")))
          .anySatisfy(
              line ->
                  assertThat(line)
                      .contains("direction=incoming")
                      .contains("bytes_to_peer=0 bytes_from_peer=" + length));
    }
  }

  @Test
  void aRefusalNamesTheEntryThatWouldAllowIt() throws Exception {
    String nothing = "[Udsaccept]\nPath=/nowhere\n";
    try (ProxyPair proxies = new ProxyPair(directory, ProxyPair.DEADLINES, nothing, 1);
        UnixListener listener = proxies.listen("t.sock")) {
      byte[] request =
          new ConnectRequest(UnixSocket.Type.STREAM, listener.path().toString()).encode();
      assertThat(proxies.ask(request)).isZero();
      Await.until("both have said so", () -> log.audit("session-refused").size() == 2);
      assertThat(log.audit("session-refused"))
          .anySatisfy(
              line ->
                  assertThat(line)
                      .startsWith(
                          "session-refused direction=incoming path="
                              + listener.path()
                              + " reason=not-allowed")
                      .contains(" allow=\"[Udsaccept] Path=" + listener.path() + "\""))
          .anySatisfy(
              line ->
                  assertThat(line)
                      .startsWith("session-refused direction=outgoing path=" + listener.path())
                      .contains(" reason=peer-refused")
                      .contains(" pid=" + ProcessHandle.current().pid()));
    }
  }

  @Test
  void payloadIsNeverInTheLogWhateverGoesWrong() throws Exception {
    try (Peer peer = Peer.open(directory);
        UnixListener listener = peer.listen("t.sock")) {
      try (Peer.Link link = peer.reach("t.sock");
          Fd target = ProxyPair.accept(listener)) {
        Path file = Files.writeString(directory.resolve("file"), SECRET);
        try (Fd passed = Fd.open(file, Fd.O_RDONLY)) {
          Sockets.send(target, SECRET, List.of(passed));
        }
        link.read(8);
        link.send(SECRET.getBytes(UTF_8)); // for a header
        Await.until("the link ends", () -> link.readSome().length == 0);
      }
      try (Peer.Link mad = peer.connect()) {
        mad.send(SECRET.getBytes(UTF_8));
        assertThat(mad.ended()).isTrue();
      }
      try (Fd connector = peer.connector(SECRET.repeat(4).getBytes(UTF_8))) {
        assertThat(Sockets.read(connector, 5)).isEqualTo(new byte[4]);
      }
    }
    assertThat(log.audit("session-end")).hasSize(1);
    assertThat(log.audit("connection-dropped")).hasSize(1);
    assertThat(log.audit("session-refused")).hasSize(1);
    assertThat(log.text()).doesNotContain("horse").doesNotContain("battery");
  }

  @Test
  void controlCharactersOfAPathStayOnTheirLine() throws Exception {
    try (Peer peer = Peer.open(directory);
        Peer.Link link = peer.connect()) {
      Path evil = peer.path("a\n2026 AUDIT session-start\u001b[2J\u0085 \"x\"");
      link.send(
          Recorded.of("b01-connect-hello-reply", "tcp1.A-B")
              .towards(evil)
              .slice(0, Recorded.REQUEST));
      assertThat(link.readInt()).isEqualTo(PeerRequest.REFUSED);
      assertThat(log.only("session-refused"))
          .contains("a\\x0a2026 AUDIT session-start\\x1b[2J\\x85 \\\"x\\\"");
      assertThat(log.text().lines()).noneMatch(line -> line.startsWith("2026 AUDIT"));
    }
  }

  @Test
  void aFloodOfStrangersIsAFewLinesAndANumber() throws Exception {
    EventExecutor timer = new DefaultEventExecutor();
    try {
      Statistics statistics = new Statistics();
      AuditTrail trail = new AuditTrail(statistics, timer, Duration.ofSeconds(1));
      for (int i = 0; i < 1000; i++) {
        trail.stranger("192.0.2.1", "this is not the peer's address");
        trail.dropped("192.0.2.2:7", Refusal.BAD_REQUEST, "begins with msgtype 0x7");
      }
      Await.until("it is told", () -> log.audit("lines-suppressed").size() == 2);
      assertThat(log.audit("lines-suppressed"))
          .containsExactlyInAnyOrder(
              "lines-suppressed of=stranger-refused count=940",
              "lines-suppressed of=connection-dropped count=940");
      assertThat(log.audit("stranger-refused")).hasSize(60);
      assertThat(log.audit("connection-dropped")).hasSize(60);
      assertThat(statistics.strangers()).isEqualTo(1000);
      assertThat(statistics.refusals()).isEqualTo(2000);
    } finally {
      timer.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
  }

  @Test
  void aStrangerIsNamed() throws Exception {
    try (Peer peer = Peer.open(directory);
        Peer.Link stranger = peer.connectFrom("127.0.0.2")) {
      assertThat(stranger.ended()).isTrue();
      assertThat(log.only("stranger-refused")).contains(" from=127.0.0.2:");
    }
  }
}
