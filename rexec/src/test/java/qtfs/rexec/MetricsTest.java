package qtfs.rexec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.Fd;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;
import qtfs.testing.MetricFamily;
import qtfs.testing.Ports;

/** What a server shows of itself by HTTP: the names are those of docs/metrics.md, all of them. */
final class MetricsTest {
  @TempDir Path dir;
  private Harness harness;
  private MetricsEndpoint endpoint;
  private int port;

  @BeforeEach
  void setUp() throws Exception {
    new Policies(dir).config("[Limits]\nRequestBytes=4096\n[Programs]\nKillGrace=1s\n");
    harness = new Harness(dir, "/bin/sh", "/bin/no-such");
    port = Ports.free();
    endpoint =
        MetricsEndpoint.start(
            harness.runDir,
            harness.context,
            new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
  }

  @AfterEach
  void tearDown() {
    endpoint.close();
    harness.close();
  }

  /** By the unix socket, the whole answer. */
  private String ask(String request) throws Exception {
    try (Fd socket = UnixSocket.connect(harness.runDir.resolve(MetricsEndpoint.NAME).toString())) {
      new Exchange(socket, Deadline.after(Harness.LIMIT)).write(request.getBytes(UTF_8));
      return Harness.get(Harness.background(() -> new String(Harness.readAll(socket), UTF_8)));
    }
  }

  private String scrape() throws Exception {
    String answer = ask("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assertThat(answer).startsWith("HTTP/1.1 200 OK\r\nContent-Type: text/plain");
    return answer.substring(answer.indexOf("\r\n\r\n") + 4);
  }

  private static double value(String body, String series) {
    return body.lines()
        .filter(line -> line.startsWith(series + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(series.length() + 1)))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no " + series + " in\n" + body));
  }

  private void awaitValue(String series, double value) {
    Await.until(
        series + " is " + value,
        () -> {
          try {
            return value(scrape(), series) == value;
          } catch (Exception e) {
            throw new AssertionError(e);
          }
        });
  }

  private static String outcome(String word) {
    return "qtfs_rexec_requests_total{outcome=\"" + word + "\"}";
  }

  private static String ending(String word) {
    return "qtfs_rexec_programs_ended_total{ending=\"" + word + "\"}";
  }

  @Test
  void countsWhatHasBecomeOfRequests() throws Exception {
    harness.call("/bin/sh", "-c", "exit 0");
    harness.call("/bin/sh", "-c", "exit 3");
    harness.call("/bin/sh", "-c", "kill -9 $$");
    harness.call("/bin/no-such");
    harness.call("/bin/other");
    harness.call("/bin/sh", "-c", "x".repeat(5000));
    awaitValue(outcome("ended"), 3);
    awaitValue(outcome("failed"), 1);
    awaitValue(outcome("refused"), 2);
    String body = scrape();
    assertThat(value(body, ending("zero"))).isEqualTo(1);
    assertThat(value(body, ending("nonzero"))).isEqualTo(1);
    assertThat(value(body, ending("signal"))).isEqualTo(1);
    assertThat(value(body, "qtfs_rexec_refusals_total{reason=\"not-in-whitelist\"}")).isEqualTo(1);
    assertThat(value(body, "qtfs_rexec_refusals_total{reason=\"request-bytes\"}")).isEqualTo(1);
    assertThat(value(body, "qtfs_rexec_limit_hits_total{limit=\"request-bytes\"}")).isEqualTo(1);
    assertThat(value(body, "qtfs_rexec_programs_total")).isEqualTo(3);
    assertThat(value(body, "qtfs_rexec_programs_running")).isZero();
    assertThat(value(body, "qtfs_rexec_start_seconds_count")).isEqualTo(3);
    assertThat(value(body, "qtfs_rexec_program_seconds_count")).isEqualTo(3);
    assertThat(value(body, outcome("explained"))).isZero();
  }

  @Test
  void countsWhatRunsAndWhatIsEndedForItsTime() throws Exception {
    Process client =
        harness.rexec("--timeout=1h", "/bin/sh", "-c", "echo; exec sleep 1000").start();
    try {
      assertThat(client.getInputStream().read()).isEqualTo('\n');
      assertThat(value(scrape(), "qtfs_rexec_programs_running")).isEqualTo(1);
    } finally {
      client.destroyForcibly();
    }
    awaitValue(outcome("abandoned"), 1);
    String[] late = {"--timeout=50ms", "--kill-grace=1h", "/bin/sh", "-c", "exec sleep 1000"};
    assertThat(Harness.outcome(harness.rexec(late).start()).code()).isEqualTo(124);
    awaitValue(outcome("timed-out"), 1);
    awaitValue("qtfs_rexec_limit_hits_total{limit=\"kill-grace\"}", 2);
  }

  @Test
  void countsWhatIsNoRequest() throws Exception {
    try (Fd stranger = UnixSocket.connect(harness.socket().toString())) {
      new Exchange(stranger, Deadline.after(Harness.LIMIT)).write(new byte[100]);
      assertThat(Harness.readAll(stranger)).isEmpty();
    }
    awaitValue("qtfs_rexec_protocol_errors_total", 1);
  }

  @Test
  void countsTheBytesOfTerminals() throws Exception {
    Harness.Outcome outcome =
        Harness.outcome(harness.rexec("-t", "/bin/sh", "-c", "printf 12345").start());
    assertThat(outcome.output()).isEqualTo("12345");
    awaitValue("qtfs_rexec_terminal_bytes_total{stream=\"stdout\"}", 5);
  }

  @Test
  void isThereByTcpToo() throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      HttpResponse<String> response =
          client.send(
              HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/metrics")).build(),
              HttpResponse.BodyHandlers.ofString());
      assertThat(response.statusCode()).isEqualTo(200);
      assertThat(value(response.body(), outcome("ended"))).isZero();
    }
  }

  @Test
  void onlyItsOwnerMayAskAtTheSocketAndNothingElseIsAnswered() throws Exception {
    Path socket = harness.runDir.resolve(MetricsEndpoint.NAME);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
        .isEqualTo("rw-------");
    assertThat(ask("POST /metrics HTTP/1.1\r\n\r\n")).startsWith("HTTP/1.1 405 ");
    assertThat(ask("GET / HTTP/1.1\r\n\r\n")).startsWith("HTTP/1.1 404 ");
    assertThat(ask("nonsense\r\n\r\n")).startsWith("HTTP/1.1 400 ");
    assertThat(ask("GET /" + "x".repeat(8187))).startsWith("HTTP/1.1 431 ");
    endpoint.close();
    assertThat(socket).doesNotExist();
  }

  @Test
  void whoAsksAndNeverGoesOnKeepsNobodyOut() throws Exception {
    String path = harness.runDir.resolve(MetricsEndpoint.NAME).toString();
    try (Fd _ = UnixSocket.connect(path);
        Fd _ = UnixSocket.connect(path)) {
      assertThat(scrape()).contains("qtfs_rexec_programs_running");
    }
  }

  @Test
  void documentAndScrapeAgree() throws Exception {
    Map<String, MetricFamily> documented = MetricFamily.documented("qtfs_rexec|qtfs_build|process");
    assertThat(documented).hasSizeGreaterThan(15);
    assertThat(MetricFamily.shown(scrape())).isEqualTo(documented);
  }

  /** They are labels' values, and an interface too. */
  @Test
  void everyOutcomeReasonAndLimitIsDocumented() throws Exception {
    String document = Files.readString(Path.of("../docs/metrics.md"));
    String section = document.substring(document.indexOf("## rexec_server"));
    for (Enum<?>[] values : new Enum<?>[][] {Outcome.values(), Refusal.values(), Limit.values()}) {
      for (Enum<?> value : values) {
        assertThat(section).contains("`" + ServerMetrics.word(value) + "`");
      }
    }
  }
}
