package qtfs.rexec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import qtfs.linux.ByteStrings;
import qtfs.linux.ChildProcess;
import qtfs.linux.Fd;
import qtfs.linux.Poll;
import qtfs.linux.Pty;
import qtfs.linux.Spawn;
import qtfs.linux.Terminal;
import qtfs.testing.Await;

/** A user at a terminal, whose program has one on the other side. */
final class TerminalTest {
  @TempDir static Path dir;

  private static Harness harness;

  @BeforeAll
  static void setUp() throws Exception {
    harness = new Harness(dir, "/bin/sh", "/bin/bash", "/no/such/program");
  }

  @AfterAll
  static void tearDown() {
    harness.close();
  }

  /** A terminal with a command on it, and what it shows. */
  private static final class User implements AutoCloseable {
    private static final AtomicInteger GATES = new AtomicInteger();

    private final Pty pty;
    private final ChildProcess command;
    private final StringBuilder screen = new StringBuilder();

    User(List<String> command, SortedMap<Integer, Fd> descriptors) throws Exception {
      pty = Pty.open(new Terminal.Size(30, 100));
      List<String> environment = new ArrayList<>(ByteStrings.split("/proc/self/environ"));
      environment.removeIf(variable -> variable.startsWith("TERM="));
      environment.add("TERM=vt100");
      environment.add("REXEC_RUN_DIR=" + harness.runDir);
      environment.add("QTFS_RUN_DIR=" + dir);
      Spawn.Held held =
          new Spawn("/usr/bin/env", command, environment, descriptors)
              .on(pty)
              .startHeld(dir.resolve("gate" + GATES.incrementAndGet()));
      assertThat(held.release()).isEmpty();
      this.command = held.child();
    }

    /** With a client that is started like this by the shell of the user. */
    static User at(String... rexec) throws Exception {
      return new User(harness.rexecWithSignals(rexec).command(), new TreeMap<>());
    }

    /** A shell in which the client is {@code "$@"}. */
    static User inShell(String script, String... rexec) throws Exception {
      List<String> command = new ArrayList<>(List.of("env", "/bin/bash", "-c", script, "bash"));
      command.addAll(harness.rexecWithSignals(rexec).command());
      return new User(command, new TreeMap<>());
    }

    void type(String keys) {
      byte[] bytes = keys.getBytes(UTF_8);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment segment = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
        assertThat(pty.master().write(segment, bytes.length)).isEqualTo(bytes.length);
      }
    }

    /** Reads on until the terminal shows a text after all that was awaited before. */
    void sees(String text) {
      Await.until("'" + text + "' in: " + screen, () -> readOn(text));
      screen.delete(0, screen.indexOf(text) + text.length());
    }

    private boolean readOn(String text) {
      Poll.readable(Duration.ofMillis(50), pty.master());
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment buffer = arena.allocate(4096);
        long n = pty.master().read(buffer, 4096);
        if (n > 0) {
          screen.append(new String(buffer.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE), UTF_8));
        }
      }
      return screen.indexOf(text) >= 0;
    }

    /** What is left on the screen at the end, and the exit code. */
    int code() throws Exception {
      Await.until(
          "the end of the client, screen: " + screen,
          () -> readOn("\0") || Poll.readable(Duration.ZERO, command.pidfd())[0] != 0);
      readOn("\0");
      return command.reap().shellCode();
    }

    @Override
    public void close() throws IOException {
      command.signalGroup(9);
      command.close();
      pty.close();
    }
  }

  @Test
  void isOnTheOtherSideByItself() throws Exception {
    try (User user = User.at("/bin/sh", "-c", "tty; echo $TERM; stty size; echo err >&2; exit 4")) {
      user.sees("/dev/pts/");
      user.sees("vt100");
      user.sees("30 100");
      user.sees("err\r\n");
      assertThat(user.code()).isEqualTo(4);
    }
  }

  @Test
  void isNotThereWhenSwitchedOff() throws Exception {
    try (User user = User.at("-T", "/bin/sh", "-c", "tty; exit 4")) {
      user.sees("not a tty");
      assertThat(user.code()).isEqualTo(4);
    }
  }

  @Test
  void isGivenBackByAProgramThatIsNotThere() throws Exception {
    Process process = harness.rexecWithSignals("-t", "/no/such/program").start();
    Harness.Outcome outcome = Harness.outcome(process);
    assertThat(outcome)
        .isEqualTo(
            new Harness.Outcome(
                127, "", "rexec_server: /no/such/program: No such file or directory\n", ""));
  }

  @Test
  void isThereOnDemand() throws Exception {
    Process process = harness.rexecWithSignals("-t", "/bin/sh", "-c", "tty; cat").start();
    try (var in = process.getOutputStream()) {
      in.write("piped\n".getBytes(UTF_8));
    }
    Harness.Outcome outcome = Harness.outcome(process);
    assertThat(outcome.code()).isZero();
    // The terminal's echo may come before or after the first word of the program.
    assertThat(outcome.text().lines()).hasSize(3).filteredOn("piped"::equals).hasSize(2);
    assertThat(outcome.text()).contains("/dev/pts/").contains("piped\r\n");
  }

  @Test
  void followsTheSizeOfTheUsers() throws Exception {
    try (User user =
        User.at(
            "/bin/bash", "-c", "trap 'stty size' WINCH; echo ready; while :; do sleep 0.1; done")) {
      user.sees("ready");
      Terminal.resize(user.pty.master(), new Terminal.Size(41, 121));
      user.sees("41 121");
    }
  }

  @Test
  void takesInterruptStopAndEnd() throws Exception {
    try (User user = User.at("/bin/bash", "--norc", "--noediting")) {
      // Told by what is to be interrupted and stopped: the shell itself goes on.
      user.type("sh -c 'echo r\"\"eady; exec sleep 100'\r");
      user.sees("ready");
      user.type("\u0003");
      user.sees("^C");
      user.type("sh -c 'echo a\"\"live; exec sleep 100'\r");
      user.sees("alive");
      user.type("\u001a");
      user.sees("Stopped");
      user.type("kill -9 %1; cat; echo e''nd\r");
      user.type("xyz\r");
      user.sees("xyz\r\nxyz\r\n");
      user.type("\u0004");
      user.sees("end");
      user.type("exit 7\r");
      assertThat(user.code()).isEqualTo(7);
    }
  }

  private static final String MODES = "before=$(stty -g); ";
  private static final String SAME =
      "; code=$?; test \"$before\" = \"$(stty -g)\" && echo restored $code; exit $code";

  @ParameterizedTest
  @ValueSource(strings = {"exit 3", "kill -9 $$", "kill -15 $$"})
  void isRestoredWhenTheProgramEnds(String script) throws Exception {
    try (User user = User.inShell(MODES + "\"$@\"" + SAME, "/bin/sh", "-c", script)) {
      user.sees("restored");
      assertThat(user.code()).isIn(3, 137, 143);
    }
  }

  @Test
  void isRestoredWhenTheClientIsEnded() throws Exception {
    String script = MODES + "set -m; \"$@\"" + SAME;
    try (User user =
        User.inShell(script, "/bin/bash", "-c", "trap '' HUP; echo rea''dy; exec sleep 60")) {
      user.sees("ready");
      long client = child(user.command.pid());
      assertThat(new ProcessBuilder("kill", "-TERM", Long.toString(client)).start().waitFor())
          .isZero();
      user.sees("restored 143");
    }
  }

  private static long child(int parent) throws Exception {
    String children =
        Files.readString(Path.of("/proc/" + parent + "/task/" + parent + "/children")).strip();
    return Long.parseLong(children);
  }

  @Test
  void keepsErrorsApartThatGoElsewhere() throws Exception {
    Path errors = dir.resolve("errors");
    try (User user =
        User.inShell("\"$@\" 2>" + errors, "/bin/sh", "-c", "tty; echo err >&2; exit 6")) {
      user.sees("/dev/pts/");
      assertThat(user.code()).isEqualTo(6);
      assertThat(errors).hasContent("err");
    }
  }

  @Test
  void hangsUpWhenTheClientIsKilled() throws Exception {
    Path pid = dir.resolve("hung");
    try (User user =
        User.at("/bin/bash", "-c", "echo $$ > " + pid + "; while :; do read x; done")) {
      long program = Long.parseLong(Harness.awaitContent(pid));
      user.command.signal(9);
      Await.until("no survivor", () -> !Harness.isAlive(program));
    }
  }
}
