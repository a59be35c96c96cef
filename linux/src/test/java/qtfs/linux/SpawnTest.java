package qtfs.linux;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.testing.Await;

final class SpawnTest {
  private static final List<String> ENVIRONMENT = List.of("PATH=/usr/bin:/bin", "GREETING=hello");

  @TempDir Path dir;

  /** Runs a shell script with a pipe as standard output; its output and status. */
  private record Result(String output, ExitStatus status) {}

  private Result run(String script, Map<Integer, Fd> more) throws IOException {
    try (Pipe out = Pipe.open()) {
      TreeMap<Integer, Fd> fds = new TreeMap<>(more);
      fds.put(1, out.write());
      List<String> argv = List.of("sh", "-c", script);
      Spawn.Held held = new Spawn("/bin/sh", argv, ENVIRONMENT, fds).startHeld(dir.resolve("gate"));
      try (ChildProcess child = held.child()) {
        assertThat(held.release()).isEmpty();
        out.write().close();
        String output = readAll(out.read());
        assertThat(Poll.readable(Duration.ofSeconds(10), child.pidfd())[0]).isNotZero();
        return new Result(output, child.reap());
      }
    }
  }

  static String readAll(Fd fd) {
    StringBuilder text = new StringBuilder();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(8192);
      for (long n; (n = fd.read(buffer, 8192)) > 0; ) {
        text.append(new String(buffer.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE), UTF_8));
      }
    }
    return text.toString();
  }

  @Test
  void runsWithTheGivenEnvironmentAndReportsTheCode() throws IOException {
    Result result = run("echo $GREETING; env | wc -l; exit 7", Map.of());
    // The shell adds PWD, and some shells SHLVL and _, to what it inherits.
    assertThat(result.output()).startsWith("hello\n");
    assertThat(result.status()).isEqualTo(new ExitStatus.Exited(7));
  }

  @Test
  void reportsTheSignalThatKilledIt() throws IOException {
    ExitStatus status = run("kill -9 $$", Map.of()).status();
    assertThat(status).isEqualTo(new ExitStatus.Killed(9));
    assertThat(status.shellCode()).isEqualTo(137);
  }

  @Test
  void hasTheGivenDescriptorsAndNoOther() throws IOException {
    Path file = Files.writeString(dir.resolve("file"), "0123456789");
    try (Fd fd = Fd.open(file, Fd.O_RDONLY)) {
      fd.position(6);
      // The glob is expanded by the shell itself, whose own descriptor for the directory counts
      // too.
      Result result = run("cat <&7; echo; ls /proc/self/fd", Map.of(7, fd));
      assertThat(result.output().lines()).containsExactly("6789", "0", "1", "7");
    }
  }

  @Test
  void hasDefaultSignalsAnEmptyMaskAndAGroupOfItsOwn() throws IOException {
    Result result =
        run("grep -E '^Sig(Blk|Ign)' /proc/self/status; ps -o pid=,pgid= -p $$", Map.of());
    List<String> lines = result.output().lines().toList();
    assertThat(lines.get(0)).endsWith("0000000000000000");
    assertThat(lines.get(1)).endsWith("0000000000000000");
    String[] ids = lines.get(2).strip().split(" +");
    assertThat(ids[0]).isEqualTo(ids[1]);
  }

  @Test
  void isHeldUntilReleasedAndHoldsNobodysDescriptors() throws Exception {
    Path witness = dir.resolve("witness");
    try (Pipe other = Pipe.open()) {
      Spawn.Held held =
          new Spawn(
                  "/bin/sh",
                  List.of("sh", "-c", "echo ran > " + witness),
                  ENVIRONMENT,
                  new TreeMap<>())
              .startHeld(dir.resolve("gate"));
      try (ChildProcess child = held.child()) {
        String stat = Files.readString(Path.of("/proc/" + child.pid() + "/stat"));
        assertThat(stat).startsWith(child.pid() + " (" + Spawn.HELD_COMM + ")");
        // Were the write end still open in the child, this would wait for ever.
        Await.until("it has none", () -> openFds(child.pid()).isEmpty());
        other.write().close();
        assertThat(readAll(other.read())).isEmpty();
        assertThat(witness).doesNotExist();
        assertThat(held.release()).isEmpty();
        assertThat(child.reap()).isEqualTo(new ExitStatus.Exited(0));
        assertThat(witness).hasContent("ran");
      }
    }
    assertThat(dir.resolve("gate")).doesNotExist();
  }

  private static List<Path> openFds(int pid) {
    try (var fds = Files.list(Path.of("/proc/" + pid + "/fd"))) {
      return fds.toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void abandonedNeverRuns() throws IOException {
    Path witness = dir.resolve("witness");
    Spawn.Held held =
        new Spawn(
                "/bin/sh",
                List.of("sh", "-c", "echo ran > " + witness),
                ENVIRONMENT,
                new TreeMap<>())
            .startHeld(dir.resolve("gate"));
    try (ChildProcess child = held.child()) {
      held.abandon();
      assertThat(child.reap()).isEqualTo(new ExitStatus.Killed(9));
    }
    assertThat(witness).doesNotExist();
    assertThat(dir.resolve("gate")).doesNotExist();
  }

  /** Whether the child finds the pipe that it is to wait at, or fails without: it is ended. */
  @Test
  void canBeEndedWhereverItFailed() throws IOException {
    int failed = 0;
    // Whoever has many numbers to close comes late to the pipe.
    try (Pipe other = Pipe.open()) {
      for (int i = 0; i < 100; i++) {
        Path gate = dir.resolve("gate" + i);
        TreeMap<Integer, Fd> fds = new TreeMap<>(Map.of(i % 2 * 900, other.read()));
        Spawn.Held held = new Spawn("/bin/true", List.of("true"), ENVIRONMENT, fds).startHeld(gate);
        try (ChildProcess child = held.child()) {
          Files.delete(gate);
          assertThatThrownBy(held::release).isInstanceOf(LinuxException.class);
          Await.until("it waits or is gone", () -> isAsleepOrGone(child.pid()));
          child.signal(9);
          failed += child.reapIfLeft().isEmpty() ? 1 : 0;
          assertThat(Path.of("/proc/" + child.pid())).doesNotExist();
          child.signal(9);
        }
      }
    }
    assertThat(failed).as("children that found no pipe").isPositive();
  }

  private static boolean isAsleepOrGone(int pid) {
    try {
      return Files.readString(Path.of("/proc/" + pid + "/stat")).contains(") S ");
    } catch (NoSuchFileException e) {
      return true;
    } catch (IOException e) {
      return String.valueOf(e.getMessage()).contains("No such process");
    }
  }

  @Test
  void tellsWhyAProgramCannotBeExecuted() throws IOException {
    Path text = Files.writeString(dir.resolve("text"), "no program");
    assertThat(execErrno(dir.resolve("missing"))).contains(Errno.ENOENT);
    assertThat(execErrno(text)).contains(Errno.EACCES);
    assertThat(text.toFile().setExecutable(true)).isTrue();
    assertThat(execErrno(text)).contains(Errno.ENOEXEC);
  }

  private Optional<Integer> execErrno(Path program) throws IOException {
    Spawn.Held held =
        new Spawn(program.toString(), List.of("x"), ENVIRONMENT, new TreeMap<>())
            .startHeld(dir.resolve("gate"));
    try (ChildProcess _ = held.child()) {
      return held.release();
    }
  }
}
