package qtfs.rexec;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is noted of programs for the server after this one. */
final class RunningProgramsTest {
  @TempDir Path runDir;

  private static ProgramRecord record(Process process) {
    return ProgramRecord.of(Math.toIntExact(process.pid()), 0, "/bin/sleep", "a rule");
  }

  @Test
  void theNoteOfASurvivorThatHasEndedIsRemovedWhenAnotherProgramEnds() throws Exception {
    Path notes = Files.createDirectory(runDir.resolve("programs"));
    Process survivor = new ProcessBuilder("sleep", "60").start();
    Process later = new ProcessBuilder("sleep", "60").start();
    try {
      record(survivor).write(notes);
      RunningPrograms running = new RunningPrograms(runDir);
      running.adopt();
      assertThat(running.counts().survivors()).isEqualTo(1);
      running.started(record(later));
      survivor.destroyForcibly().waitFor();
      assertThat(notes.resolve(Long.toString(survivor.pid()))).exists();
      running.ended(Math.toIntExact(later.pid()));
      assertThat(notes).isEmptyDirectory();
    } finally {
      survivor.destroyForcibly();
      later.destroyForcibly();
    }
  }
}
