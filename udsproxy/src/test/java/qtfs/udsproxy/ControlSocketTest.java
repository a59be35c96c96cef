package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.Log;
import qtfs.linux.Poll;
import qtfs.linux.ProcessAttributes;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;
import qtfs.testing.Stranger;

/** The control socket answers who speaks its protocol; all others cost their own connection. */
final class ControlSocketTest {
  private static final Deadlines SHORT =
      new Deadlines(
          Duration.ofMillis(700),
          Duration.ofSeconds(5),
          Duration.ofSeconds(5),
          Duration.ofSeconds(1));

  @TempDir Path directory;
  private ProxyPair proxies;

  @BeforeEach
  void start() throws Exception {
    proxies = new ProxyPair(directory, SHORT, ProxyPair.allowing(directory), 1);
  }

  @AfterEach
  void stop() {
    proxies.close();
  }

  private Path run() {
    return directory.resolve("a");
  }

  private Fd connect() throws IOException {
    return UnixSocket.connect(run() + "/ctl.sock");
  }

  /** One line, without its end. */
  private static String readLine(Fd client) throws IOException {
    StringBuilder line = new StringBuilder();
    while (true) {
      String next = Sockets.readText(client, 1);
      if (next.isEmpty()) {
        throw new IOException("ended after: " + line);
      }
      if (next.equals("\n")) {
        return line.toString();
      }
      line.append(next);
    }
  }

  @Test
  void isTheOwnersAlone() throws Exception {
    assertThat(FileStatus.ofLink(run().resolve("ctl.sock")).permissions()).isEqualTo(0600);
    assertThat(ControlSocket.mayControl(0, 1000)).isTrue();
    assertThat(ControlSocket.mayControl(1000, 1000)).isTrue();
    assertThat(ControlSocket.mayControl(1001, 1000)).isFalse();
    assertThat(ControlSocket.mayControl(1001, 0)).isFalse();
  }

  @Test
  void answersALineForALine() throws Exception {
    try (Fd client = connect()) {
      Sockets.write(client, "{\"command\":\"exposed\"}\n");
      assertThat(readLine(client)).isEqualTo("{\"ok\":true,\"exposed\":[]}");
      // Two at once, and one in pieces.
      Sockets.write(client, "{\"command\":\"sessions\"}\n{\"command\":\"exposed\"}\n{\"comm");
      assertThat(readLine(client)).isEqualTo("{\"ok\":true,\"sessions\":[]}");
      assertThat(readLine(client)).isEqualTo("{\"ok\":true,\"exposed\":[]}");
      Sockets.write(client, "and\":\"exposed\"}\n");
      assertThat(readLine(client)).isEqualTo("{\"ok\":true,\"exposed\":[]}");
      // What is well said but cannot be done is no reason to go.
      Sockets.write(client, "{\"command\":\"unexpose\",\"local\":\"/none\"}\n");
      assertThat(readLine(client))
          .isEqualTo("{\"ok\":false,\"error\":\"nothing is exposed at /none\"}");
      Sockets.write(client, "{\"command\":\"unexpose\",\"local\":\"/\\u0000\"}\n");
      assertThat(readLine(client)).startsWith("{\"ok\":false,\"error\":\"Nul character");
      Sockets.write(client, "{\"command\":\"exposed\"}\n");
      UnixSocket.shutdownWrite(client);
      assertThat(Sockets.readAll(client)).isEqualTo("{\"ok\":true,\"exposed\":[]}\n");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "garbage",
        "\u0000\u0001\u00ff",
        "[]",
        "{}",
        "{\"command\":7}",
        "{\"command\":\"dance\"}",
        "{\"command\":\"exposed\",\"command\":\"status\"}",
        "{\"command\":\"exposed\",\"spec\":\"/x\"}",
        "{\"command\":\"expose\"}",
        "{\"command\":\"log-level\",\"level\":\"loud\"}",
        "{\"command\":\"unexpose\",\"local\":\"\\u0000\",\"local\":\"/x\"}",
        "{\"command\":\"exposed\"} {\"command\":\"exposed\"}",
        "{\"command\":{\"command\":{\"command\":{}}}}"
      })
  void whatIsNoRequestIsAnsweredAndTheEnd(String line) throws Exception {
    try (Fd client = connect()) {
      Sockets.write(client, line + "\n");
      String answer = Sockets.readAll(client);
      assertThat(answer).startsWith("{\"ok\":false,\"error\":\"bad request: ").endsWith("\"}\n");
      assertThat(answer.lines()).hasSize(1);
    }
    assertServes();
  }

  private void assertServes() {
    assertThat(Ctls.run(run(), "status").code()).isZero();
  }

  @Test
  void aMebibyteWithoutALinesEndIsNotReadToItsEnd() throws Exception {
    try (Fd client = connect()) {
      try {
        Sockets.write(client, "x".repeat(1 << 20));
      } catch (IOException closedMeanwhile) {
        assertThat(closedMeanwhile).hasMessageMatching("Broken pipe|Connection reset by peer");
      }
      assertThat(readLine(client)).contains("a request has at most 8192 bytes");
    }
    assertServes();
  }

  @Test
  void halfALineAndSilenceHaveADeadline() throws Exception {
    try (Fd half = connect();
        Fd silent = connect();
        Fd ended = connect()) {
      Sockets.write(half, "{\"command\":\"exp");
      Sockets.write(ended, "{\"command\":\"exp");
      UnixSocket.shutdownWrite(ended);
      assertThat(Sockets.readAll(ended)).isEmpty();
      assertServes();
      assertThat(Sockets.readAll(half)).isEmpty();
      assertThat(Sockets.readAll(silent)).isEmpty();
    }
    assertServes();
  }

  /** More than there are threads for them. */
  @Test
  void manyAtOnce() throws Exception {
    List<Fd> clients = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      Fd client = connect();
      clients.add(client);
      Sockets.write(client, "{\"command\":\"exposed\"}\n{\"command\":\"status\"}\n");
    }
    for (Fd client : clients) {
      assertThat(readLine(client)).isEqualTo("{\"ok\":true,\"exposed\":[]}");
      assertThat(readLine(client)).startsWith("{\"ok\":true,\"status\":{");
    }
    Fd.closeAll(clients);
  }

  /** Answers that nobody takes wait for their own deadline, and keep nobody else. */
  @Test
  void whoTakesNoAnswersIsLetGo() throws Exception {
    int requests = 5000; // whose answers are more than a socket's buffer takes
    try (Fd client = connect()) {
      StringBuilder many = new StringBuilder();
      Sockets.write(client, many.repeat("{\"command\":\"status\"}\n", requests).toString());
      assertServes();
      Await.until("it is let go", () -> (Poll.readable(Duration.ZERO, client)[0] & Poll.HUP) != 0);
      assertThat(answersUntilTheEnd(client)).isBetween(1, requests - 1);
    }
    assertServes();
  }

  private static int answersUntilTheEnd(Fd client) throws IOException {
    int lines = 0;
    try {
      for (String text = "?"; !text.isEmpty(); ) {
        text = Sockets.readText(client, 1 << 12);
        lines += (int) text.chars().filter(c -> c == '\n').count();
      }
    } catch (IOException end) {
      assertThat(end).hasMessage(Errno.message(Errno.ECONNRESET));
    }
    return lines;
  }

  @Test
  void isNobodyElsesWhateverTheSocketsMode() throws Exception {
    Path socket = run().resolve("ctl.sock");
    assertThat(Stranger.ask(socket, "{\"command\":\"status\"}", directory, run())).isEqualTo("[]");
    assertServes();
  }

  private static Map<?, ?> object(@Nullable Object member) {
    return (Map<?, ?>) Objects.requireNonNull(member);
  }

  @Test
  void tellsOfTheSessionsInFull() throws Exception {
    try (UnixListener listener = proxies.listen("t.sock");
        Fd application = proxies.connect("t.sock");
        Fd server = ProxyPair.accept(listener)) {
      Sockets.write(application, "hello");
      assertThat(Sockets.readText(server, 5)).isEqualTo("hello");
      Map<?, ?> session = Ctls.list(run(), "sessions").getFirst();
      assertThat(session.get("path")).isEqualTo(proxies.path("t.sock").toString());
      assertThat(session.get("direction")).isEqualTo("outgoing");
      assertThat(session.get("bytesToPeer")).isEqualTo(5L);
      assertThat(object(session.get("requester")).get("pid"))
          .isEqualTo((long) ProcessAttributes.pid());
      assertThat(Ctls.run(run(), "sessions").output().lines())
          .hasSize(2)
          .last()
          .asString()
          .contains("outgoing", "[" + ProcessAttributes.pid() + "]", "t.sock", "extended");
      assertThat(Ctls.run(directory.resolve("b"), "sessions").output()).contains("incoming");
    }
  }

  @Test
  void tellsHowTheDaemonIs() throws Exception {
    Instant before = Instant.now();
    Ctls.Result result = Ctls.run(run(), "status", "--json");
    Map<?, ?> status = object(Json.object(result.output().strip()).get("status"));
    assertThat(status.get("pid")).isEqualTo((long) ProcessAttributes.pid());
    assertThat(status.get("threads")).isEqualTo(1L);
    assertThat(status.get("whitelist")).isEqualTo(directory.resolve("whitelist").toString());
    assertThat(Instant.parse((String) status.get("since"))).isBeforeOrEqualTo(before);
    assertThat(Instant.parse((String) status.get("whitelistLoaded"))).isBeforeOrEqualTo(before);
    assertThat(Ctls.run(run(), "status").output()).contains("pid", "whitelist", "logLevel");
  }

  @Test
  void setsTheLogLevel() throws Exception {
    Log.Level before = Log.level();
    try {
      assertThat(Ctls.run(run(), "log-level", "warn").output())
          .isEqualTo(before + " before, now WARN\n");
      assertThat(Log.level()).isEqualTo(Log.Level.WARN);
      Ctls.Result wrong = Ctls.run(run(), "log-level", "loud");
      assertThat(wrong.code()).isEqualTo(Ctl.FAILED);
      assertThat(wrong.errors()).contains("no level \"loud\": take one of [NONE, ERROR,");
    } finally {
      Log.level(before);
    }
  }

  @Test
  void exitCodesTellWhatWentWrong() {
    assertThat(Ctls.run(run(), "status").code()).isEqualTo(Ctl.OK);
    assertThat(Ctls.run(run(), "unexpose", "/none").code()).isEqualTo(Ctl.FAILED);
    for (List<String> wrong :
        List.of(
            List.<String>of(),
            List.of("dance"),
            List.of("expose"),
            List.of("expose", "/a", "/b"),
            List.of("status", "--loud"))) {
      Ctls.Result result = Ctls.run(wrong);
      assertThat(result.code()).as("%s", wrong).isEqualTo(Ctl.USAGE);
      assertThat(result.errors().lines()).as("%s", wrong).hasSize(1);
    }
    Ctls.Result nobody = Ctls.run(directory.resolve("none"), "status");
    assertThat(nobody.code()).isEqualTo(Ctl.UNAVAILABLE);
    assertThat(nobody.errors().lines())
        .singleElement()
        .asString()
        .startsWith("udsproxyd ctl: nobody listens at ")
        .contains("none/ctl.sock");
    assertThat(Ctls.run(List.of("expose", "--help")).output()).contains("PEERPATH");
  }
}
