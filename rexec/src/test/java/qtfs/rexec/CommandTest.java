package qtfs.rexec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import qtfs.linux.LockFile;
import qtfs.testing.Await;

/** The commands as processes, with what only a process has: signals, descriptors, environment. */
final class CommandTest {
  @TempDir static Path dir;

  private static Harness harness;

  @BeforeAll
  static void setUp() throws Exception {
    harness = new Harness(dir, "/bin/sh", "/bin/cat", "/bin/echo", "-dash");
  }

  @AfterAll
  static void tearDown() {
    harness.close();
  }

  private static Harness.Outcome run(ProcessBuilder builder) throws Exception {
    return Harness.outcome(builder.start());
  }

  @Test
  void runsAProgram() throws Exception {
    Process process = harness.rexec("/bin/sh", "-c", "cat; echo err >&2; exit 7").start();
    try (var in = process.getOutputStream()) {
      in.write("some text\n".getBytes(UTF_8));
    }
    assertThat(Harness.outcome(process))
        .isEqualTo(new Harness.Outcome(7, "some text\n", "err\n", ""));
  }

  @Test
  void worksWithoutStandardInputOrWithNone() throws Exception {
    assertThat(run(harness.rexecIn("\"$@\" <&-", "/bin/sh", "-c", "cat; exit 3")).code())
        .isEqualTo(3);
    assertThat(run(harness.rexecIn("\"$@\" </dev/null", "/bin/sh", "-c", "cat; exit 4")).code())
        .isEqualTo(4);
  }

  @Test
  void worksWithoutStandardOutput() throws Exception {
    assertThat(run(harness.rexecIn("\"$@\" >&-", "/bin/sh", "-c", "echo x; exit 3")).code())
        .isEqualTo(3);
  }

  @Test
  void letsTheProgramNoticeThatNobodyReads() throws Exception {
    Harness.Outcome outcome =
        run(harness.rexecIn("\"$@\" | head -1; echo ${PIPESTATUS[0]}", "/bin/sh", "-c", "yes"));
    assertThat(outcome.text()).isEqualTo("y\n141\n");
  }

  @Test
  void passesInheritedFilesOn() throws Exception {
    Path file = Files.writeString(dir.resolve("é file"), "0123456789");
    ProcessBuilder builder =
        harness.rexecIn(
            "exec 7<'" + file + "'; read -n 6 -u 7 six; \"$@\"",
            "/bin/sh",
            "-c",
            "cat <&7; ls /proc/$$/fd");
    // The locale must not matter, neither for the file nor for an argument.
    builder.environment().put("LC_ALL", "C");
    Harness.Outcome outcome = run(builder);
    assertThat(outcome.stderr()).isEmpty();
    assertThat(outcome.text()).isEqualTo("67890\n1\n2\n7\n");
  }

  @Test
  void keepsArgumentsByteForByteInTheCLocale() throws Exception {
    ProcessBuilder builder =
        harness.rexecIn("\"$@\" $'\\xe9?' é", "/bin/sh", "-c", "printf %s:%s \"$1\" \"$2\"", "x");
    builder.environment().put("LC_ALL", "C");
    assertThat(run(builder).output()).isEqualTo("\u00e9?:\u00c3\u00a9");
  }

  @Test
  void writesItsPidFile() throws Exception {
    Process process = harness.rexec("/bin/sh", "-c", "echo $$; read line").start();
    Path pidFile = harness.runDir.resolve("pids/" + process.pid());
    String remote = process.inputReader(UTF_8).readLine();
    assertThat(pidFile).hasContent(remote);
    assertThat(LockFile.tryAcquire(pidFile)).isEmpty();
    assertThat(Files.getPosixFilePermissions(pidFile).toString())
        .contains("OWNER_READ")
        .doesNotContain("GROUP")
        .doesNotContain("OTHERS");
    assertThat(Files.readString(Path.of("/proc/" + process.pid() + "/comm"))).isEqualTo("rexec\n");
    process.getOutputStream().close();
    assertThat(Harness.outcome(process).code()).isEqualTo(1);
    assertThat(pidFile).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource({"INT, 130", "TERM, 143", "HUP, 129", "KILL, 137"})
  void leavesNothingRunningWhenItIsEnded(String signal, int code) throws Exception {
    Path file = dir.resolve("pid-" + signal);
    ProcessBuilder builder =
        harness.rexec("/bin/sh", "-c", "echo $$ > " + file + "; exec sleep 60");
    // Whoever runs the tests in the background may have made them ignore INT and HUP.
    builder.command().addAll(0, List.of("env", "--default-signal=INT,TERM,HUP"));
    Process process = builder.start();
    long remote = Long.parseLong(Harness.awaitContent(file));
    assertThat(Harness.isAlive(remote)).isTrue();
    Harness.Outcome kill =
        run(new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())));
    assertThat(kill.code()).isZero();
    assertThat(Harness.outcome(process).code()).isEqualTo(code);
    Await.until("the program is gone", () -> !Harness.isAlive(remote));
    if (!signal.equals("KILL")) {
      assertThat(harness.runDir.resolve("pids/" + process.pid())).doesNotExist();
    }
  }

  private static final String MANAGED =
      "mkfifo $0.rd $0.wr; exec 11<>$0.rd 12<>$0.wr;"
          + " REXEC_HANDSHAKE_RD=11 REXEC_HANDSHAKE_WR=12 \"$@\" &"
          + " read -n 1 -u 12 word; echo told $word;"
          + " cat $REXEC_RUN_DIR/pids/$! > $0.pid; echo -n ";

  private ProcessBuilder managed(String answer, String name, String script) {
    ProcessBuilder builder =
        harness.rexecIn(MANAGED + answer + " >&11; wait $!", "/bin/sh", "-c", script);
    builder.command().set(3, dir.resolve(name).toString());
    return builder;
  }

  @Test
  void startsOnlyWhenTheManagerSaysSo() throws Exception {
    Harness.Outcome outcome = run(managed("1", "go", "echo $$"));
    assertThat(outcome.code()).isZero();
    assertThat(outcome.text())
        .isEqualTo("told 1\n" + Files.readString(dir.resolve("go.pid")) + "\n");
  }

  @Test
  void doesNotStartWhenTheManagerSaysNo() throws Exception {
    Path witness = dir.resolve("ran");
    Harness.Outcome outcome = run(managed("0", "no", "echo > " + witness));
    assertThat(outcome.code()).isEqualTo(125);
    assertThat(outcome.stderr())
        .isEqualTo("rexec: /bin/sh: called off by the answer at REXEC_HANDSHAKE_RD\n");
    assertThat(witness).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource({"1,4,not above 2", "77,78,Bad file descriptor", "x,4,no number", "7,7,not a pipe"})
  void refusesHandshakeVariablesThatNameNoPipes(String read, String write, String why)
      throws Exception {
    ProcessBuilder builder = harness.rexecIn("exec 7</dev/null; \"$@\"", "/bin/echo", "x");
    builder.environment().put("REXEC_HANDSHAKE_RD", read);
    builder.environment().put("REXEC_HANDSHAKE_WR", write);
    Harness.Outcome outcome = run(builder);
    assertThat(outcome.code()).isEqualTo(125);
    assertThat(outcome.output()).isEmpty();
    assertThat(outcome.stderr())
        .startsWith("rexec: REXEC_HANDSHAKE_RD=" + read)
        .contains(why)
        .hasLineCount(1);
  }

  @Test
  void knowsItsOptions() throws Exception {
    assertThat(run(harness.rexec("--help")).text())
        .startsWith("Runs a program")
        .contains("  rexec uname -n\n", "usage: rexec");
    assertThat(run(harness.rexec("--version")).text()).startsWith("rexec ");
    assertThat(run(harness.rexec("--", "/bin/sh", "-c", "exit 6")).code()).isEqualTo(6);
    Harness.Outcome dash = run(harness.rexec("--", "-dash"));
    assertThat(dash.code()).isEqualTo(127);
    assertThat(dash.stderr()).isEqualTo("rexec_server: -dash: No such file or directory\n");
    for (String[] wrong : new String[][] {{}, {"-x", "/bin/sh"}, {"--"}}) {
      Harness.Outcome outcome = run(harness.rexec(wrong));
      assertThat(outcome.code()).isEqualTo(125);
      assertThat(outcome.stderr()).startsWith("rexec: ").hasLineCount(1);
    }
  }

  @Test
  void logsWhenTold() throws Exception {
    ProcessBuilder builder = harness.rexec("/bin/echo", "x");
    builder.environment().put("REXEC_LOG_FILE", "std");
    Harness.Outcome outcome = run(builder);
    assertThat(outcome.text()).isEqualTo("x\n");
    assertThat(outcome.stderr()).contains("exit code 0");
    builder.environment().put("REXEC_LOG_FILE", "/srv/x");
    outcome = run(builder);
    assertThat(outcome.code()).isEqualTo(255);
    assertThat(outcome.text())
        .isEqualTo("REXEC_LOG_FILE cannot be set to any value other than std\n");
  }

  @Test
  void tellsThatNoServerIsThere() throws Exception {
    ProcessBuilder builder = harness.rexec("/bin/echo");
    builder.environment().put("REXEC_RUN_DIR", dir.resolve("nowhere").toString());
    Harness.Outcome outcome = run(builder);
    assertThat(outcome.code()).isEqualTo(125);
    assertThat(outcome.stderr())
        .startsWith("rexec: cannot connect to " + dir + "/nowhere/rexec_uds.sock")
        .contains("start udsproxyd")
        .hasLineCount(1);
  }

  /** A server as a process. */
  private static Process server(Path runDir, Path whitelist) throws IOException {
    return Harness.java(
            RexecServer.class, "--run-dir", runDir.toString(), "--whitelist", whitelist.toString())
        .start();
  }

  @ParameterizedTest
  @ValueSource(strings = {"KILL", "TERM"})
  void losesTheLinkWhenTheServerEnds(String signal) throws Exception {
    Path runDir = dir.resolve("server-" + signal);
    Process server = server(runDir, harness.whitelistFile);
    Await.until("listening", () -> Files.exists(runDir.resolve("rexec_uds.sock")));
    Path file = dir.resolve("victim-" + signal);
    ProcessBuilder builder =
        harness.rexec("/bin/sh", "-c", "echo out; echo $$ > " + file + "; exec sleep 60");
    builder.environment().put("REXEC_RUN_DIR", runDir.toString());
    Process client = builder.start();
    long remote = Long.parseLong(Harness.awaitContent(file));

    Harness.Outcome second = Harness.outcome(server(runDir, harness.whitelistFile));
    assertThat(second.code()).isEqualTo(255);
    assertThat(second.stderr()).contains("another rexec_server runs in " + runDir);

    Harness.Outcome kill =
        run(new ProcessBuilder("kill", "-" + signal, Long.toString(server.pid())));
    assertThat(kill.code()).isZero();
    assertThat(server.waitFor(10, TimeUnit.SECONDS)).isTrue();
    Harness.Outcome outcome = Harness.outcome(client);
    assertThat(outcome.code()).isEqualTo(125);
    assertThat(outcome.text()).isEqualTo("out\n");
    assertThat(outcome.stderr())
        .isEqualTo("rexec: /bin/sh: the link to the program was lost before its end was told\n");
    if (signal.equals("TERM")) {
      assertThat(server.exitValue()).isZero();
      assertThat(runDir.resolve("rexec_uds.sock")).doesNotExist();
    }
    // Programs survive a restart of the server.
    assertThat(ProcessHandle.of(remote).map(ProcessHandle::destroyForcibly)).contains(true);
  }

  @Test
  void theServerDoesNotStartWithoutAWhitelist() throws Exception {
    Harness.Outcome outcome = Harness.outcome(server(dir.resolve("r"), dir.resolve("missing")));
    assertThat(outcome.code()).isEqualTo(255);
    assertThat(outcome.stderr()).startsWith("rexec_server: ").hasLineCount(1);
    assertThat(dir.resolve("r")).doesNotExist();
  }
}
