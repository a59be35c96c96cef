package qtfs.rexec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
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
import qtfs.testing.Await;

/** What reaches the client reaches the program's group, and nothing survives the client. */
final class SignalsToProgramTest {
  @TempDir static Path dir;

  private static Harness harness;

  @BeforeAll
  static void setUp() throws Exception {
    harness = new Harness(dir, "/bin/sh", "/bin/bash");
  }

  @AfterAll
  static void tearDown() {
    harness.close();
  }

  /** A client whose program says its number, and then does as a script says. */
  private record Call(Process client, BufferedReader output, long program) {
    static Call of(ProcessBuilder client) throws IOException {
      Process process = client.start();
      BufferedReader output = process.inputReader(UTF_8);
      return new Call(process, output, Long.parseLong(output.readLine()));
    }

    void send(String signal) throws Exception {
      signal(signal, client.pid());
    }

    int code() throws Exception {
      assertThat(client.waitFor(Harness.LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
      return client.exitValue();
    }
  }

  private static void signal(String signal, long pid) throws Exception {
    Process kill = new ProcessBuilder("kill", "-" + signal, Long.toString(pid)).start();
    assertThat(kill.waitFor()).isZero();
  }

  private static char state(long pid) {
    try {
      String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
      return stat.charAt(stat.lastIndexOf(')') + 2);
    } catch (IOException e) {
      return 'X';
    }
  }

  private static final String LOOP = "echo $$; while :; do sleep 0.05; done";

  @ParameterizedTest
  @ValueSource(strings = {"HUP", "INT", "QUIT", "USR1", "USR2", "TERM", "WINCH"})
  void reachesTheProgram(String signal) throws Exception {
    String script = "trap 'echo got " + signal + "; exit 5' " + signal + "; " + LOOP;
    Call call = Call.of(harness.rexecWithSignals("/bin/bash", "-c", script));
    call.send(signal);
    assertThat(call.output.readLine()).isEqualTo("got " + signal);
    assertThat(call.code()).isEqualTo(5);
  }

  @ParameterizedTest
  @CsvSource({"INT, 130", "TERM, 143", "HUP, 129", "USR1, 138"})
  void reachesItWithoutTheLauncherToo(String signal, int code) throws Exception {
    ProcessBuilder builder = harness.rexec("/bin/sh", "-c", "echo $$; exec sleep 60");
    builder.command().addAll(0, List.of("env", "--default-signal=INT,TERM,HUP"));
    Call call = Call.of(builder);
    call.send(signal);
    assertThat(call.code()).isEqualTo(code);
    assertThat(Harness.isAlive(call.program)).isFalse();
  }

  @Test
  void reachesTheWholeGroup() throws Exception {
    Call call =
        Call.of(
            harness.rexecWithSignals(
                "/bin/bash", "-c", "sleep 60 & echo $!; trap '' TERM; wait $!; echo $?"));
    call.send("TERM");
    assertThat(call.output.readLine()).isEqualTo("143");
    assertThat(call.code()).isZero();
  }

  @Test
  void isLeftToAProgramThatDoesNotMind() throws Exception {
    Call call =
        Call.of(
            harness.rexecWithSignals(
                "/bin/bash", "-c", "trap 'echo ha' INT; echo $$; read a; read b; exit 3"));
    call.send("INT");
    assertThat(call.output.readLine()).isEqualTo("ha");
    try (var in = call.client.getOutputStream()) {
      in.write("a\nb\n".getBytes(UTF_8));
    }
    assertThat(call.code()).isEqualTo(3);
  }

  @Test
  void stopsAndGoesOnWithTheProgram() throws Exception {
    Call call = Call.of(harness.rexecWithSignals("/bin/bash", "-c", LOOP));
    call.send("TSTP");
    Await.until("the client has stopped", () -> state(call.client.pid()) == 'T');
    Await.until("the program has stopped", () -> state(call.program) == 'T');
    call.send("CONT");
    Await.until("the client goes on", () -> state(call.client.pid()) != 'T');
    Await.until("the program goes on", () -> state(call.program) != 'T');
    call.send("TERM");
    assertThat(call.code()).isEqualTo(143);
  }

  @Test
  void isDeafToWhatItsCallerHasItIgnore() throws Exception {
    ProcessBuilder builder = harness.rexecWithSignals("/bin/bash", "-c", LOOP);
    builder.command().add(1, "--ignore-signal=HUP");
    builder.command().set(2, "--default-signal=INT,TERM");
    Call call = Call.of(builder);
    call.send("HUP");
    call.send("USR1");
    assertThat(call.code()).isEqualTo(138);
  }

  @ParameterizedTest
  @CsvSource({"--same-signal, 9, KILL", "--same-signal, 15, TERM", "--same-signal, 11, SEGV"})
  void endsByTheSameSignalWhenAsked(String option, int number, String name) throws Exception {
    ProcessBuilder builder =
        harness.rexecWithSignals(option, "--", "/bin/sh", "-c", "kill -" + name + " $$");
    // A shell that tells a signal from a code, as a JVM cannot.
    builder.command().addAll(0, List.of("/bin/bash", "-c", "\"$@\"; kill -l $?", "bash"));
    assertThat(Harness.outcome(builder.start()).text()).isEqualTo(name + "\n");
    ProcessBuilder code =
        harness.rexecWithSignals(option, "/bin/sh", "-c", "exit " + (128 + number));
    assertThat(Harness.outcome(code.start()).code()).isEqualTo(128 + number);
  }

  @Test
  void endsAProgramThatIgnoresTermWhenTheGraceIsOver() throws Exception {
    Call call =
        Call.of(
            harness.rexecWithSignals(
                "--kill-grace", "300ms", "/bin/bash", "-c", "trap '' TERM HUP; " + LOOP));
    call.send("KILL");
    assertThat(call.code()).isEqualTo(137);
    Await.until("no survivor", () -> !Harness.isAlive(call.program));
  }

  @Test
  void letsAProgramTidyUpWhenTheClientIsKilled() throws Exception {
    Path witness = dir.resolve("tidied");
    // Not to end by SIGPIPE at what bash itself has to say of it.
    String script = "exec 2>/dev/null; trap 'echo done > " + witness + "; exit' TERM; " + LOOP;
    Call call = Call.of(harness.rexecWithSignals("/bin/bash", "-c", script));
    call.send("KILL");
    assertThat(Harness.awaitContent(witness)).isEqualTo("done");
    Await.until("no survivor", () -> !Harness.isAlive(call.program));
  }

  @Test
  void endsAStoppedProgramWhenTheClientIsKilled() throws Exception {
    Call call = Call.of(harness.rexecWithSignals("/bin/bash", "-c", LOOP));
    signal("STOP", call.program);
    Await.until("the program has stopped", () -> state(call.program) == 'T');
    call.send("KILL");
    Await.until("no survivor", () -> !Harness.isAlive(call.program));
  }
}
