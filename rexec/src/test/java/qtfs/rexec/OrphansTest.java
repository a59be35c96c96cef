package qtfs.rexec;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import org.junit.jupiter.api.Test;
import qtfs.linux.Spawn;

/** Which of the machine's processes a starting server takes for another's leftovers. */
final class OrphansTest {
  private static final String HELD = "77 (" + Spawn.HELD_COMM + ") S 66 77 77 0 -1";
  private static final String STARTED = "77 (cat) S 66 77 77 0 -1";
  private static final Path SERVER = Path.of("/usr/lib/qtfs/jre/bin/java");
  private static final Path INIT = Path.of("/usr/lib/systemd/systemd");
  private static final Path PROGRAM = Path.of("/usr/bin/cat");

  /** A process that is something else each time it is looked at. */
  private record Restless(Queue<String> stats, Map<String, Path> executables)
      implements Orphans.Looked {
    static Restless of(List<String> stats, Path executable, Path parents) {
      return new Restless(new ArrayDeque<>(stats), Map.of("77", executable, "66", parents));
    }

    @Override
    public String stat() throws IOException {
      String stat = stats.poll();
      if (stat == null) {
        throw new NoSuchFileException("/proc/77/stat");
      }
      return stat;
    }

    @Override
    public Path executable(String pid) throws IOException {
      Path executable = executables.get(pid);
      if (executable == null) {
        throw new NoSuchFileException("/proc/" + pid + "/exe");
      }
      return executable;
    }
  }

  @Test
  void aHeldChildWhoseServerIsGone() {
    assertThat(Orphans.isOrphan(Restless.of(List.of(HELD, HELD), SERVER, INIT))).isTrue();
  }

  @Test
  void notThatOfAServerThatRuns() {
    assertThat(Orphans.isOrphan(Restless.of(List.of(HELD, HELD), SERVER, SERVER))).isFalse();
  }

  @Test
  void notOneThatGoesOnToItsExecMeanwhile() {
    assertThat(Orphans.isOrphan(Restless.of(List.of(HELD, STARTED), PROGRAM, SERVER))).isFalse();
  }

  @Test
  void notOneThatEndsMeanwhile() {
    assertThat(Orphans.isOrphan(Restless.of(List.of(HELD), SERVER, INIT))).isFalse();
  }

  @Test
  void notAProgramOfThatName() {
    assertThat(Orphans.isOrphan(Restless.of(List.of(STARTED, STARTED), PROGRAM, INIT))).isFalse();
    assertThat(Orphans.isOrphan(Restless.of(List.of(""), PROGRAM, INIT))).isFalse();
  }
}
