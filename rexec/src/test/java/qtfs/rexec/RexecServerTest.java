package qtfs.rexec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.ProcessGroup;
import qtfs.testing.Await;

/** The server as a process: its files, its signals, and what it leaves to the one after it. */
final class RexecServerTest {
  @TempDir Path dir;
  private Policies files;
  private final List<Process> started = new ArrayList<>();
  private int servers;

  @BeforeEach
  void setUp() throws IOException {
    files = new Policies(dir).whitelist("/bin/sh", "/bin/sleep");
  }

  @AfterEach
  void tearDown() {
    started.forEach(Process::destroyForcibly);
  }

  private Path log() {
    return dir.resolve("log" + servers);
  }

  private Process server(String... more) throws IOException {
    servers++;
    ProcessBuilder builder = Harness.java(RexecServer.class, more);
    builder.command().addAll(List.of("--whitelist", dir.resolve("whitelist").toString()));
    builder.command().addAll(List.of("--run-dir", dir.resolve("rexec").toString()));
    Process process = builder.redirectErrorStream(true).redirectOutput(log().toFile()).start();
    started.add(process);
    awaitLog("listening at ");
    return process;
  }

  private void awaitLog(String text) {
    Path log = log();
    Await.until(text + " in the log", () -> read(log).contains(text));
  }

  private static String read(Path file) {
    try {
      return Files.exists(file) ? Files.readString(file) : "";
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private Harness.Outcome ctl(String... words) throws Exception {
    ProcessBuilder builder = Harness.java(RexecServer.class, "ctl");
    builder.command().addAll(List.of("--run-dir", dir.resolve("rexec").toString()));
    builder.command().addAll(List.of(words));
    return Harness.outcome(builder.start());
  }

  private Process client(String... argv) throws IOException {
    ProcessBuilder builder = Harness.java(Rexec.class, argv);
    builder.environment().put("REXEC_RUN_DIR", dir.resolve("rexec").toString());
    builder.environment().put("QTFS_RUN_DIR", dir.toString());
    Process process = builder.start();
    started.add(process);
    return process;
  }

  private static void end(Process server) throws InterruptedException {
    server.destroy();
    assertThat(server.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(server.exitValue()).isZero();
  }

  @Test
  void checksAllFilesAtOnce() throws Exception {
    files.rules("[r]\n").config("x\n");
    ProcessBuilder builder = Harness.java(RexecServer.class, "--check");
    builder.command().addAll(List.of("--whitelist", dir.resolve("whitelist").toString()));
    Harness.Outcome broken = Harness.outcome(builder.start());
    assertThat(broken.code()).isEqualTo(255);
    assertThat(broken.stderr())
        .contains("test.policy:1:1: [r] has no Program")
        .contains("rexec_server.conf:1:1: neither [name]");
    files.rules("[r]\nProgram=/x\nArguments=\n").config("");
    Harness.Outcome right = Harness.outcome(builder.start());
    assertThat(right.code()).isZero();
    assertThat(right.text()).contains("2 programs in ").contains("1 rules in policy.d");
  }

  @Test
  void doesNotStartWithABrokenFile() throws Exception {
    files.rules("[r]\n");
    ProcessBuilder builder = Harness.java(RexecServer.class);
    builder.command().addAll(List.of("--whitelist", dir.resolve("whitelist").toString()));
    builder.command().addAll(List.of("--run-dir", dir.resolve("rexec").toString()));
    Harness.Outcome outcome = Harness.outcome(builder.start());
    assertThat(outcome.code()).isEqualTo(255);
    assertThat(outcome.stderr()).contains("test.policy:1:1: [r] has no Program");
    assertThat(dir.resolve("rexec/rexec_uds.sock")).doesNotExist();
  }

  @Test
  void readsItsFilesAgainWhenTheyChange() throws Exception {
    Process server = server();
    assertThat(Harness.outcome(client("/bin/echo", "x")).code()).isEqualTo(126);
    files.whitelist("/bin/echo");
    awaitLog("in force now: 1 programs");
    assertThat(Harness.outcome(client("/bin/echo", "x")).text()).isEqualTo("x\n");
    // In place, as an editor may do it.
    Path rule = dir.resolve("policy.d/test.policy");
    files.rules("[r]\nProgram=/bin/echo\nArguments=x\n");
    awaitLog("1 rules in policy.d");
    Files.writeString(rule, "[r]\nProgram=/bin/echo\nArgument=x\n");
    awaitLog("(the files as they were stay in force)");
    assertThat(Harness.outcome(client("/bin/echo", "x")).text()).isEqualTo("x\n");
    Harness.Outcome refused = Harness.outcome(client("/bin/echo", "y"));
    assertThat(refused.code()).isEqualTo(126);
    assertThat(refused.stderr()).contains("argument 1 is 'y' (Arguments=x)");
    Harness.Outcome explained = Harness.outcome(client("--explain", "/bin/echo", "x"));
    assertThat(explained.code()).isZero();
    assertThat(explained.text()).startsWith("/bin/echo: allowed by test.policy[r]\n");
    end(server);
  }

  @Test
  void programsSurviveARestartAndAreListed() throws Exception {
    Process server = server("--log-format", "json");
    Path pidFile = dir.resolve("pid");
    Process client = client("/bin/sh", "-c", "echo $$ >" + pidFile + "; exec sleep 1000");
    int pid = Integer.parseInt(Harness.awaitContent(pidFile));
    try {
      Await.until("it is noted", () -> Files.exists(dir.resolve("rexec/programs/" + pid)));
      assertThat(ctl("ps").text())
          .containsPattern(" +" + pid + " +0 +[0-9]+ +.*/whitelist +/bin/sh\n");
      end(server);
      assertThat(client.waitFor()).isEqualTo(125);
      assertThat(Harness.isAlive(pid)).isTrue();
      assertThat(dir.resolve("rexec/rexec_uds.sock")).doesNotExist();
      assertThat(dir.resolve("rexec/ctl.sock")).doesNotExist();

      Process second = server();
      awaitLog("/bin/sh pid " + pid + " still runs");
      assertThat(ctl("ps").text()).contains("/bin/sh  (of an earlier server)");
      assertThat(ctl("--json", "ps").text())
          .startsWith("[{\"pid\":" + pid + ",\"uid\":0,")
          .endsWith("\"program\":\"/bin/sh\",\"of_earlier_server\":true}]\n");
      assertThat(ctl("kill", Integer.toString(pid)).code()).isZero();
      Await.until("it has ended", () -> !Harness.isAlive(pid));
      assertThat(ctl("kill", Integer.toString(pid)).code()).isEqualTo(1);
      assertThat(ctl("status").text()).contains("left by an earlier server 0");
      end(second);
    } finally {
      int ignored = ProcessGroup.signal(pid, 9);
    }
  }

  @Test
  void programsEndWithTheServerIfItIsToldSo() throws Exception {
    files.config("[Programs]\nAtStop=kill\n");
    Process server = server();
    Path pidFile = dir.resolve("pid");
    Process client = client("/bin/sh", "-c", "echo $$ >" + pidFile + "; exec sleep 1000");
    int pid = Integer.parseInt(Harness.awaitContent(pidFile));
    end(server);
    Await.until("it has ended", () -> !Harness.isAlive(pid));
    assertThat(client.waitFor()).isIn(125, 137);
  }

  @Test
  void writesALineForEachRequest() throws Exception {
    Process server = server("--log-format", "json");
    assertThat(Harness.outcome(client("/bin/sh", "-c", "exit 3")).code()).isEqualTo(3);
    assertThat(Harness.outcome(client("/bin/sh", "-c", "kill -9 $$")).code()).isEqualTo(137);
    assertThat(Harness.outcome(client("/bin/no\nbody")).code()).isEqualTo(126);
    end(server);
    String whitelist = dir.resolve("whitelist").toString();
    List<String> lines =
        Files.readAllLines(log(), UTF_8).stream().filter(l -> l.contains("\"audit\"")).toList();
    assertThat(lines).hasSize(3);
    assertThat(lines.get(0))
        .contains(
            "\"event\":\"request\",\"uid\":0,\"requester\":",
            "\"program\":\"/bin/sh\",\"arguments\":\"-c 'exit 3'\",\"rule\":\"" + whitelist + "\"",
            "\"pid\":",
            "\"code\":3,\"stdin_bytes\":null,\"stdout_bytes\":null,\"stderr_bytes\":null,",
            "\"outcome\":\"ended\",\"seconds\":");
    assertThat(lines.get(1)).contains("\"signal\":9,\"stdin_bytes\":null,");
    assertThat(lines.get(2))
        .contains(
            "\"program\":\"/bin/no\\u000abody\"",
            "\"reason\":\"not in the whitelist\"",
            "\"outcome\":\"refused\"");
  }

  /** As words; of a terminal the server copies the bytes itself, and a number is known. */
  @Test
  void countsBytesWhereItCopiesThem() throws Exception {
    Process server = server("--log-format", "text");
    Process client = client("-t", "/bin/sh", "-c", "read line; printf 123456789");
    client.getOutputStream().write("abc\n".getBytes(UTF_8));
    client.getOutputStream().flush();
    assertThat(Harness.outcome(client).output()).endsWith("123456789");
    end(server);
    // What is typed is written back by the terminal: abc, CR, LF.
    assertThat(read(log()))
        .contains(" code=0 stdin_bytes=4 stdout_bytes=14 stderr_bytes=null outcome=ended");
  }

  @Test
  void showsMetricsAndSaysWhyItCannot() throws Exception {
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
      ProcessBuilder taken = Harness.java(RexecServer.class, "--metrics", "127.0.0.1:" + port);
      taken.command().addAll(List.of("--whitelist", dir.resolve("whitelist").toString()));
      taken.command().addAll(List.of("--run-dir", dir.resolve("rexec").toString()));
      Harness.Outcome outcome = Harness.outcome(taken.start());
      assertThat(outcome.code()).isEqualTo(255);
      assertThat(outcome.stderr()).contains("cannot listen at 127.0.0.1:" + port + ": Address");
      assertThat(dir.resolve("rexec/rexec_uds.sock")).doesNotExist();
    }
    Harness.Outcome wrong =
        Harness.outcome(Harness.java(RexecServer.class, "--metrics", "here").start());
    assertThat(wrong.code()).isEqualTo(255);
    assertThat(wrong.stderr()).contains("--metrics is \"here\", must be ADDR:PORT");
    Process server = server("--metrics", "127.0.0.1:" + port);
    try (HttpClient http = HttpClient.newHttpClient()) {
      URI uri = URI.create("http://127.0.0.1:" + port + "/metrics");
      assertThat(
              http.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
                  .body())
          .contains("qtfs_rexec_requests_total{outcome=\"ended\"} 0.0");
    }
    end(server);
    assertThat(dir.resolve("rexec/metrics.sock")).doesNotExist();
  }
}
