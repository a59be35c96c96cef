package qtfs.udsproxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.Pipe;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;
import qtfs.testing.Ports;
import qtfs.udsproxy.metrics.Histogram;
import qtfs.udsproxy.metrics.MetricsPage;

/** What is scraped is what has happened, and nobody who scrapes badly is in anybody's way. */
final class MetricsTest {
  @TempDir Path directory;
  private Peer peer;
  private Path run;

  @BeforeEach
  void start() throws Exception {
    peer = Peer.open(directory);
    run = directory.resolve("run");
  }

  @AfterEach
  void stop() throws Exception {
    peer.close();
  }

  @Test
  void tellWhatASessionDoes() throws Exception {
    try (UnixListener listener = peer.listen("t.sock");
        Peer.Link link = peer.reach("t.sock");
        Fd target = ProxyPair.accept(listener);
        Pipe pipe = Pipe.open();
        Fd file = Fd.open(Files.writeString(directory.resolve("f"), "x"), Fd.O_RDONLY)) {
      Sockets.write(target, "ping");
      link.send(link.read(20));
      assertThat(Sockets.readText(target, 4)).isEqualTo("ping");
      Sockets.send(target, "take", List.of(pipe.read(), file));
      link.read(8);
      Scrape scrape = Scrape.of(run);
      assertThat(scrape.value("qtfs_proxy_sessions_open{dialect=\"v1\",direction=\"incoming\"}"))
          .isEqualTo(1);
      assertThat(scrape.value("qtfs_proxy_sessions_open{dialect=\"v1\",direction=\"outgoing\"}"))
          .isZero();
      assertThat(scrape.value("qtfs_proxy_sessions_total{dialect=\"v1\",direction=\"incoming\"}"))
          .isEqualTo(1);
      assertThat(scrape.value("qtfs_proxy_sessions_taken")).isEqualTo(1);
      assertThat(scrape.value("qtfs_proxy_bytes_total{way=\"to-peer\"}")).isEqualTo(8);
      assertThat(scrape.value("qtfs_proxy_bytes_total{way=\"from-peer\"}")).isEqualTo(4);
      assertThat(scrape.value("qtfs_proxy_descriptors_total{kind=\"pipe\",way=\"to-peer\"}"))
          .isEqualTo(1);
      assertThat(scrape.value("qtfs_proxy_descriptors_total{kind=\"file\",way=\"to-peer\"}"))
          .isEqualTo(1);
      assertThat(scrape.value("qtfs_proxy_pipes_waiting")).isEqualTo(1);
      assertThat(scrape.value("qtfs_proxy_connect_seconds_count{direction=\"incoming\"}"))
          .isEqualTo(1);
      assertThat(scrape.value("process_open_fds")).isGreaterThan(10);
      assertThat(scrape.value("process_max_fds")).isGreaterThan(100);
      assertThat(scrape.value("process_resident_memory_bytes")).isGreaterThan(10_000_000);
    }
    Await.until(
        "it has ended",
        () ->
            Scrape.of(run).value("qtfs_proxy_sessions_open{dialect=\"v1\",direction=\"incoming\"}")
                == 0);
    assertThat(
            Scrape.of(run)
                .value("qtfs_proxy_sessions_total{dialect=\"v1\",direction=\"incoming\"}"))
        .isEqualTo(1);
  }

  /** An unknown msgtype ends its session only, and is counted. */
  @Test
  void countAnUnknownMsgtype() throws Exception {
    try (UnixListener listener = peer.listen("t.sock");
        Peer.Link mad = peer.reach("t.sock");
        Fd itsTarget = ProxyPair.accept(listener);
        Peer.Link sane = peer.reach("t.sock");
        Fd target = ProxyPair.accept(listener)) {
      mad.send(new byte[] {0x77, (byte) 0xa5, 0, 0, 0, 0, 0, 0});
      assertThat(mad.ended()).isTrue();
      assertThat(Sockets.readAll(itsTarget)).isEmpty();
      assertThat(Scrape.of(run).value("qtfs_proxy_protocol_errors_total")).isEqualTo(1);
      Sockets.write(target, "ping");
      sane.send(sane.read(20));
      assertThat(Sockets.readText(target, 4)).isEqualTo("ping");
    }
  }

  @Test
  void countStrangersAndRefusals() throws Exception {
    try (Peer.Link stranger = peer.connectFrom("127.0.0.2")) {
      assertThat(stranger.ended()).isTrue();
    }
    try (Peer.Link link = peer.connect()) {
      link.send(
          Recorded.of("b01-connect-hello-reply", "tcp1.A-B")
              .towards(Path.of("/not/listed"))
              .slice(0, Recorded.REQUEST));
      assertThat(link.readInt()).isEqualTo(PeerRequest.REFUSED);
    }
    Scrape scrape = Scrape.of(run);
    assertThat(scrape.value("qtfs_proxy_strangers_total")).isEqualTo(1);
    assertThat(
            scrape.value(
                "qtfs_proxy_refusals_total{direction=\"incoming\",reason=\"not-allowed\"}"))
        .isEqualTo(1);
  }

  @Test
  void onlyTheOwnerMayAsk() throws Exception {
    assertThat(FileStatus.ofLink(run.resolve("metrics.sock")).permissions()).isEqualTo(0600);
  }

  @ParameterizedTest
  @CsvSource({
    "GET /metrics?x=1 HTTP/1.0, 200 OK",
    "GET / HTTP/1.1, 404 Not Found",
    "GET /metricsx HTTP/1.1, 404 Not Found",
    "POST /metrics HTTP/1.1, 405 Method Not Allowed",
    "GET /metrics, 400 Bad Request",
    "GET /metrics HTTP/2.0, 400 Bad Request",
    "'', 400 Bad Request"
  })
  void otherRequestsHaveTheirAnswers(String request, String status) throws Exception {
    assertThat(Scrape.of(run, request + "\r\n\r\n").status()).isEqualTo("HTTP/1.1 " + status);
  }

  @Test
  void anEndlessHeadIsCutOff() throws Exception {
    Scrape scrape = Scrape.of(run, "GET /metrics HTTP/1.1\r\nX: " + "x".repeat(9000));
    assertThat(scrape.status()).isEqualTo("HTTP/1.1 431 Request Header Fields Too Large");
  }

  @Test
  void aRequestMayComeInPieces() throws Exception {
    try (Fd socket = UnixSocket.connect(run.resolve("metrics.sock").toString())) {
      for (byte b : "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(UTF_8)) {
        Sockets.write(socket, new byte[] {b});
      }
      assertThat(Scrape.parse(Sockets.readAll(socket)).status()).isEqualTo("HTTP/1.1 200 OK");
    }
  }

  @Test
  void openMetricsIsSpokenWhereAskedFor() throws Exception {
    Scrape scrape =
        Scrape.of(
            run,
            "GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text;version=1.0.0\r\n\r\n");
    assertThat(scrape.header()).contains("Content-Type: application/openmetrics-text");
    assertThat(scrape.body()).contains("# TYPE qtfs_proxy_bytes counter\n").endsWith("# EOF\n");
  }

  /** Who asks and never reads, or never ends asking, takes one of 32 places, for 10 s. */
  @Test
  void whoDoesNotFinishIsInNobodysWay() throws Exception {
    List<Fd> stuck = new ArrayList<>();
    try {
      for (int i = 0; i < 20; i++) {
        Fd socket = UnixSocket.connect(run.resolve("metrics.sock").toString());
        stuck.add(socket);
        Sockets.write(socket, i % 2 == 0 ? "GET /met" : "GET /metrics HTTP/1.1\r\n\r\n");
      }
      assertThat(Scrape.of(run).status()).isEqualTo("HTTP/1.1 200 OK");
      for (int i = 0; i < 20; i++) {
        stuck.add(UnixSocket.connect(run.resolve("metrics.sock").toString()));
      }
      assertThat(Sockets.readAll(stuck.getLast())).as("the fortieth is turned away").isEmpty();
    } finally {
      Fd.closeAll(stuck);
    }
    Await.until("there are places again", () -> scrapes());
  }

  private boolean scrapes() {
    try {
      return Scrape.of(run).status().endsWith("200 OK");
    } catch (IOException | IndexOutOfBoundsException turnedAway) {
      return false;
    }
  }

  @Test
  void curlReadsThem() throws Exception {
    Assumptions.assumeTrue(
        Files.isExecutable(Path.of("/usr/bin/curl")), "curl is missing: apt-get install curl");
    Process curl =
        new ProcessBuilder(
                "curl", "-sSf", "--unix-socket", run + "/metrics.sock", "http://localhost/metrics")
            .redirectErrorStream(true)
            .start();
    String text = new String(curl.getInputStream().readAllBytes(), UTF_8);
    assertThat(curl.waitFor()).as(text).isZero();
    assertThat(text).contains("# HELP qtfs_proxy_bytes_total ", "# TYPE qtfs_proxy_bytes_total ");
  }

  @Test
  void anAddressShowsThemToo() throws Exception {
    int port = Ports.free();
    InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    Path other = Files.createDirectory(directory.resolve("other"));
    try (Peer _ = Peer.configured(other, config -> config.metrics(address));
        Socket socket = new Socket(address.getAddress(), port)) {
      socket.setSoTimeout(10_000);
      socket.getOutputStream().write("GET /metrics HTTP/1.1\r\n\r\n".getBytes(UTF_8));
      String text = new String(socket.getInputStream().readAllBytes(), UTF_8);
      assertThat(Scrape.parse(text).value("qtfs_proxy_loops")).isEqualTo(1);
    }
  }

  @Test
  void aLoopThatStandsStillIsSeen() throws Exception {
    CountDownLatch enough = new CountDownLatch(1);
    peer.daemon()
        .shared()
        .loops()
        .get(0)
        .eventLoop()
        .execute(
            () -> {
              try {
                assertThat(enough.await(20, TimeUnit.SECONDS)).isTrue();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    long until = System.nanoTime() + 2_500_000_000L;
    Await.until("two seconds and a half have passed", () -> System.nanoTime() > until);
    enough.countDown();
    Histogram lag = peer.daemon().shared().statistics().loopLag();
    Await.until("it is noted", () -> lag.sumSeconds() > 1);
    assertThat(Scrape.of(run).value("qtfs_proxy_loop_lag_seconds_sum")).isGreaterThan(1);
  }

  /** A source of the test's, which fails or hangs if it is told to. */
  private record Source(String up, CountDownLatch hanging, boolean failing)
      implements MetricsSource {
    @Override
    public void addTo(MetricsPage page) throws IOException {
      try {
        if (!hanging.await(30, TimeUnit.SECONDS) || failing) {
          throw new IOException("no");
        }
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
      page.gauge(up + "_answer", "What it says", 42);
    }
  }

  @Test
  void anotherSourceIsShownOrDownButNeverInTheWay() throws Exception {
    CountDownLatch free = new CountDownLatch(0);
    CountDownLatch hanging = new CountDownLatch(1);
    peer.daemon().addMetrics(new Source("well", free, false));
    peer.daemon().addMetrics(new Source("failing", free, true));
    peer.daemon().addMetrics(new Source("hanging", hanging, false));
    for (int i = 0; i < 2; i++) {
      Scrape scrape = Scrape.of(run);
      assertThat(scrape.value("failing")).isZero();
      assertThat(scrape.value("hanging")).isZero();
      assertThat(scrape.value("qtfs_proxy_loops")).isEqualTo(1);
      assertThat(scrape.body()).doesNotContain("failing_answer").doesNotContain("hanging_answer");
    }
    hanging.countDown();
    Await.until("it answers", () -> Scrape.of(run).value("hanging") == 1);
    Scrape scrape = Scrape.of(run);
    assertThat(scrape.value("well")).isEqualTo(1);
    assertThat(scrape.value("well_answer")).isEqualTo(42);
    assertThat(scrape.value("hanging_answer")).isEqualTo(42);
  }
}
