package qtfs.rexec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import qtfs.linux.Fd;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;

/** The launcher in C and the agent, in this JVM, do together what rexec does. */
final class AgentTest {
  private static final Path LAUNCHER = Path.of("target/launcher/rexec").toAbsolutePath();
  private static final int MOST_CALLS = 64;

  @TempDir static Path dir;

  private static Harness harness;
  private static Agent agent;

  @BeforeAll
  static void setUp() throws Exception {
    if (!Files.exists(LAUNCHER)) {
      String reason = "the launcher is not built: no C compiler; apt-get install gcc libc6-dev";
      System.err.println("SKIPPED: " + reason);
      Assumptions.abort(reason);
    }
    harness = new Harness(dir, "/bin/sh", "/bin/bash", "/bin/cat", "/bin/sleep");
    agent = Agent.start(harness.runDir, MOST_CALLS, Optional.empty());
  }

  @AfterAll
  static void tearDown() {
    if (harness != null) {
      agent.stop();
      harness.close();
    }
  }

  /** A call that no JVM may make instead. */
  private static ProcessBuilder rexec(String... args) {
    List<String> command = new ArrayList<>(List.of(LAUNCHER.toString()));
    command.addAll(List.of(args));
    return toAgent(new ProcessBuilder(command));
  }

  private static ProcessBuilder toAgent(ProcessBuilder builder) {
    builder.environment().put("REXEC_RUN_DIR", harness.runDir.toString());
    builder.environment().put("QTFS_RUN_DIR", dir.toString());
    builder.environment().put("REXEC_AGENT", "only");
    builder.redirectInput(new File("/dev/null"));
    return builder;
  }

  /** A shell script with the launcher as {@code $REXEC}. */
  private static Harness.Outcome sh(String script) throws Exception {
    ProcessBuilder builder = toAgent(new ProcessBuilder("/bin/bash", "-c", script));
    builder.environment().put("REXEC", LAUNCHER.toString());
    builder.environment().put("DIR", dir.toString());
    return Harness.outcome(builder.start());
  }

  private static void awaitIdle() {
    Await.until("no call is under way", () -> agent.workLeft() == 0);
  }

  @Test
  void streamsAndCodeAreTheProgramsOwn() throws Exception {
    Harness.Outcome outcome =
        sh("echo in | \"$REXEC\" /bin/sh -c 'cat; echo out; echo err >&2; exit 7'");
    assertThat(outcome).isEqualTo(new Harness.Outcome(7, "in\nout\n", "err\n", ""));
  }

  @ParameterizedTest
  @CsvSource({
    "'', hi",
    "'<&-', hi",
    "'>/dev/null', ''",
    "'>&-', ''",
    "'2>&-', hi",
    "'<&- >&- 2>&-', ''",
    "'<\"$DIR/whitelist\"', hi",
    "'0<>\"$DIR/whitelist\"', hi"
  })
  void whateverStandardStreamsAre(String redirections, String output) throws Exception {
    Harness.Outcome outcome = sh("\"$REXEC\" /bin/sh -c 'echo hi; exit 44' " + redirections);
    assertThat(outcome.code()).as("%s", outcome).isEqualTo(44);
    assertThat(outcome.output().strip()).isEqualTo(output);
  }

  @Test
  void outputThatCannotBeWrittenIsNoSuccess() throws Exception {
    Harness.Outcome outcome = sh("\"$REXEC\" /bin/sh -c 'echo hi; exit 44' >/dev/full");
    assertThat(outcome.code()).as("%s", outcome).isEqualTo(125);
    assertThat(outcome.stderr())
        .isEqualTo("rexec: cannot write standard output: No space left on device\n");
  }

  @Test
  void streamsMayBeSockets() throws Exception {
    needPython();
    // A shell cannot hand a socket on as a standard stream.
    String script =
        """
        import socket, subprocess, os
        a, b = socket.socketpair()
        p = subprocess.Popen([os.environ['REXEC'], '/bin/cat'], stdin=b, stdout=b)
        b.close()
        a.sendall(b'through a socket')
        a.shutdown(socket.SHUT_WR)
        print(a.makefile().read(), p.wait())
        """;
    Path file = Files.writeString(dir.resolve("sockets.py"), script);
    Harness.Outcome outcome = sh("/usr/bin/python3 " + file);
    assertThat(outcome.output()).as("%s", outcome).isEqualTo("through a socket 0\n");
  }

  @Test
  void muchGoesThroughByteForByte() throws Exception {
    Harness.Outcome outcome =
        sh(
            "seq 1000000 >\"$DIR/sent\"; \"$REXEC\" /bin/cat <\"$DIR/sent\" | cmp - \"$DIR/sent\""
                + " && seq 1000000 | \"$REXEC\" /bin/cat >\"$DIR/got\""
                + " && cmp \"$DIR/got\" \"$DIR/sent\" && echo same");
    assertThat(outcome.output()).as("%s", outcome).isEqualTo("same\n");
  }

  @Test
  void aReaderThatHasEnoughEndsTheProgram() throws Exception {
    Harness.Outcome outcome =
        sh("\"$REXEC\" /bin/sh -c 'while :; do echo y; done' | head -n 1; echo ${PIPESTATUS[0]}");
    assertThat(outcome.output()).as("%s", outcome).startsWith("y\n");
    assertThat(outcome.output().strip()).doesNotEndWith("125").doesNotEndWith("\n0");
    awaitIdle();
  }

  @Test
  void inheritedFilesVariablesAndDescriptorsArrive() throws Exception {
    Harness.Outcome outcome =
        sh(
            "echo a file >\"$DIR/f\"; echo piped | { exec 7<&0 </dev/null 5<\"$DIR/f\";"
                + " A=1 \"$REXEC\" --fd 7 -e A /bin/sh -c 'cat <&5; cat <&7; echo $A'; }");
    assertThat(outcome.output()).as("%s", outcome).isEqualTo("a file\npiped\n1\n");
  }

  @Test
  void theNameOfALinkIsTheProgram() throws Exception {
    Harness.Outcome outcome =
        sh(
            "ln -sf \"$REXEC\" \"$DIR/sh\"; PATH=$DIR:$PATH; \"$DIR/sh\" -c 'echo $0 \"$1\"' '-x' 'a  b'");
    // Not in the whitelist by its bare name: it is asked for as it was called.
    assertThat(outcome.code()).isEqualTo(126);
    assertThat(outcome.stderr()).contains("sh: not in the whitelist");
  }

  @Test
  void thePidFileIsTheLaunchers() throws Exception {
    Process launcher = rexec("/bin/sh", "-c", "echo $$; exec sleep 60").start();
    String program = launcher.inputReader(UTF_8).readLine();
    Path file = harness.runDir.resolve("pids/" + launcher.pid());
    assertThat(Harness.awaitContent(file)).isEqualTo(program);
    signal("TERM", launcher.pid());
    assertThat(launcher.waitFor()).isEqualTo(128 + 15);
    assertThat(file).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"HUP", "INT", "QUIT", "USR1", "USR2", "TERM", "WINCH"})
  void signalsReachTheProgram(String signal) throws Exception {
    String script =
        "trap 'echo got "
            + signal
            + "; exit 5' "
            + signal
            + "; echo $$; while :; do sleep 0.05; done";
    ProcessBuilder builder = rexec("/bin/bash", "-c", script);
    builder.command().addAll(0, List.of("env", "--default-signal=HUP,INT,QUIT,USR1,USR2,TERM"));
    Process launcher = builder.start();
    var output = launcher.inputReader(UTF_8);
    assertThat(output.readLine()).isNotEmpty();
    signal(signal, launcher.pid());
    assertThat(output.readLine()).isEqualTo("got " + signal);
    assertThat(launcher.waitFor()).isEqualTo(5);
  }

  @Test
  void ignoredSignalsStayIgnored() throws Exception {
    ProcessBuilder builder =
        rexec(
            "/bin/bash",
            "-c",
            "trap 'exit 9' HUP; trap 'exit 5' USR1; echo $$; while :; do sleep 0.05; done");
    builder.command().addAll(0, List.of("env", "--ignore-signal=HUP", "--default-signal=USR1"));
    Process launcher = builder.start();
    assertThat(launcher.inputReader(UTF_8).readLine()).isNotEmpty();
    signal("HUP", launcher.pid());
    signal("USR1", launcher.pid());
    assertThat(launcher.waitFor()).isEqualTo(5);
  }

  @Test
  void stopsAndGoesOnWithTheProgram() throws Exception {
    Process launcher =
        rexec("/bin/bash", "-c", "trap 'exit 6' USR1; echo $$; while :; do sleep 0.05; done")
            .start();
    assertThat(launcher.inputReader(UTF_8).readLine()).isNotEmpty();
    signal("TSTP", launcher.pid());
    Await.until("the launcher has stopped", () -> state(launcher.pid()) == 'T');
    signal("CONT", launcher.pid());
    signal("USR1", launcher.pid());
    assertThat(launcher.waitFor()).isEqualTo(6);
  }

  @Test
  void endsByTheSameSignalIfAsked() throws Exception {
    Harness.Outcome outcome = sh("\"$REXEC\" --same-signal /bin/sh -c 'kill -KILL $$'; echo $?");
    assertThat(outcome.output()).isEqualTo("137\n");
    assertThat(outcome.stderr()).as("what a shell says of a signal").contains("Killed");
  }

  @Test
  void aKilledLauncherLeavesNoProgram() throws Exception {
    Process launcher = rexec("/bin/sh", "-c", "echo $$; exec sleep 60").start();
    long program = Long.parseLong(launcher.inputReader(UTF_8).readLine());
    launcher.destroyForcibly().waitFor();
    Await.until("the program has ended", () -> !Harness.isAlive(program));
    awaitIdle();
  }

  /** Also where nobody reads, so that the program's output is stuck in the agent. */
  @Test
  void aKilledLauncherWhoseReaderSleepsLeavesNothing() throws Exception {
    Process launcher = rexec("/bin/sh", "-c", "echo $$; while :; do echo y; done").start();
    long program = Long.parseLong(launcher.inputReader(UTF_8).readLine());
    launcher.destroyForcibly().waitFor();
    Await.until("the program has ended", () -> !Harness.isAlive(program));
    awaitIdle();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"$REXEC\" -t /bin/sh -c 'echo ran'",
        "\"$REXEC\" --help",
        "\"$REXEC\" --nice x /bin/sh -c 'echo ran'",
        "REXEC_LOG_FILE=std \"$REXEC\" /bin/sh -c 'echo ran'",
        "REXEC_AGENT=only REXEC_RUN_DIR=$DIR/none \"$REXEC\" /bin/sh -c 'echo ran'",
        "LONG=$(printf %0130000d 1) \"$REXEC\" /bin/sh -c 'echo ran'",
        "for i in $(seq 10 300); do eval \"exec $i</dev/null\"; done; \"$REXEC\" /bin/sh -c 'echo ran'"
      })
  void isDeclinedBeforeAnythingHasHappened(String script) throws Exception {
    Harness.Outcome outcome = sh("ulimit -n 1024; " + script);
    assertThat(outcome.code()).as("%s", outcome).isEqualTo(125);
    assertThat(outcome.output()).isEmpty();
    assertThat(outcome.stderr()).startsWith("rexec: not run, since REXEC_AGENT=only: ");
  }

  @Test
  void garbageHarmsNobody() throws Exception {
    for (String garbage :
        List.of("", "x", "GET / HTTP/1.0\r\n\r\n".repeat(9), "rexecag1" + "\0".repeat(56))) {
      try (Fd socket = UnixSocket.connect(harness.runDir.resolve(Agent.SOCKET).toString())) {
        Harness.writeAll(socket.duplicate(), garbage.getBytes(UTF_8));
        UnixSocket.shutdownWrite(socket);
        byte[] ignored = Harness.readAll(socket);
      }
    }
    awaitIdle();
    assertThat(sh("\"$REXEC\" /bin/sh -c 'exit 3'").code()).isEqualTo(3);
  }

  @Test
  void nothingIsLeftOfManyCalls() throws Exception {
    assertThat(sh("\"$REXEC\" /bin/cat </dev/null").code()).isZero();
    awaitIdle();
    int before = openFiles();
    Harness.Outcome outcome =
        sh(
            "one() { for i in $(seq 250); do \"$REXEC\" /bin/cat </dev/null || echo failed; done; };"
                + " one & one & one & one & wait");
    assertThat(outcome).isEqualTo(new Harness.Outcome(0, "", "", ""));
    awaitIdle();
    Await.until("no descriptor is left", () -> openFiles() <= before);
  }

  private static void needPython() {
    if (!Files.exists(Path.of("/usr/bin/python3"))) {
      String reason = "/usr/bin/python3 is missing: apt-get install python3";
      System.err.println("SKIPPED: " + reason);
      Assumptions.abort(reason);
    }
  }

  private static int openFiles() {
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      return (int) open.count();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static void signal(String signal, long pid) throws Exception {
    assertThat(new ProcessBuilder("kill", "-" + signal, Long.toString(pid)).start().waitFor())
        .isZero();
  }

  private static char state(long pid) {
    try {
      String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
      return stat.charAt(stat.lastIndexOf(')') + 2);
    } catch (IOException e) {
      return 'X';
    }
  }
}
