package qtfs.rexec;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.ChildProcess;
import qtfs.linux.ExitStatus;
import qtfs.linux.Fd;
import qtfs.linux.Pipe;
import qtfs.linux.Spawn;

/** S8: what was judged is what is executed, however fast somebody swaps the file. */
final class SwappedProgramTest {
  private static final int TIMES = 10_000;
  private static final int EXECUTED_EACH = 200;
  private static final String GOOD = "#!/bin/sh\necho good\n";
  private static final String EVIL = "#!/bin/sh\necho evil\n";

  @TempDir Path dir;
  private Path program = Path.of("");
  private Path good = Path.of("");
  private Path evil = Path.of("");

  @BeforeEach
  void write() throws IOException {
    program = Policies.script(dir.resolve("tool"), GOOD);
    good = Policies.script(dir.resolve("good"), GOOD);
    evil = Policies.script(dir.resolve("evil"), EVIL);
  }

  @Test
  void aFileThatIsSwappedAllTheTime() throws Exception {
    String digest = Policies.sha256(good);
    Policy policy = policy("Program=" + program + "\nArguments=\nSha256=" + digest);
    race(policy, () -> swap(good, evil));
  }

  @Test
  void aLinkThatLeadsElsewhereAllTheTime() throws Exception {
    Path directory = Files.createDirectory(dir.resolve("tools"));
    Path inside = Policies.script(directory.resolve("inside"), GOOD);
    program = Files.createSymbolicLink(directory.resolve("tool"), inside);
    good = Files.createSymbolicLink(directory.resolve("good"), inside);
    evil = Files.createSymbolicLink(directory.resolve("evil"), dir.resolve("evil"));
    race(policy("Program=" + directory + "/\nArguments="), () -> swap(good, evil));
  }

  private Policy policy(String keys) throws Exception {
    return new Policies(dir).whitelist("x").rules("[r]\n" + keys + "\n").load();
  }

  private interface Swap {
    void run() throws IOException;
  }

  /** Puts one file after the other in the program's place. */
  private void swap(Path... files) throws IOException {
    for (Path file : files) {
      Path copy = dir.resolve("copy");
      if (Files.isSymbolicLink(file)) {
        Files.createSymbolicLink(copy, Files.readSymbolicLink(file));
      } else {
        Files.createLink(copy, file);
      }
      Files.move(copy, program, StandardCopyOption.ATOMIC_MOVE);
    }
  }

  private void race(Policy policy, Swap swap) throws Exception {
    AtomicBoolean over = new AtomicBoolean();
    CompletableFuture<Boolean> swapping =
        Harness.background(
            () -> {
              while (!over.get()) {
                swap.run();
              }
              return true;
            });
    int allowed = 0;
    try {
      for (int i = 0; i < TIMES; i++) {
        allowed += runIfAllowed(policy, i) ? 1 : 0;
      }
    } finally {
      over.set(true);
      Harness.get(swapping);
    }
    // Or there was no race.
    assertThat(allowed).isBetween(1, TIMES - 1);
  }

  private boolean runIfAllowed(Policy policy, int i) throws Exception {
    List<String> arguments = List.of(program.toString());
    try (OpenedProgram opened = OpenedProgram.open(new Program(program.toString(), 0))) {
      Asked asked = new Asked(0, arguments, Wishes.USUAL, opened.target(), 0);
      if (policy.judge(asked) instanceof Decision.Refused) {
        return false;
      }
      Program executable = opened.pinned(dir.resolve("exec." + i));
      assertThat(Files.readString(Path.of(executable.path()))).isEqualTo(GOOD);
      if (i % EXECUTED_EACH == 0) {
        assertThat(output(executable, i)).isEqualTo("good\n");
      }
    }
    assertThat(dir.resolve("exec." + i)).doesNotExist();
    return true;
  }

  private String output(Program executable, int i) throws Exception {
    try (Pipe out = Pipe.open()) {
      SortedMap<Integer, Fd> descriptors = new TreeMap<>();
      descriptors.put(1, out.write());
      Spawn.Held held =
          new Spawn(executable.path(), List.of("tool"), List.of(), descriptors)
              .startHeld(dir.resolve("held." + i));
      try (ChildProcess child = held.child()) {
        out.write().close();
        assertThat(held.release()).isEmpty();
        String text = new String(Harness.readAll(out.read()), US_ASCII);
        assertThat(child.reap()).isEqualTo(new ExitStatus.Exited(0));
        return text;
      }
    }
  }
}
