package qtfs.rexec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.LockFile;

final class PidFileTest {
  @TempDir Path dir;

  @Test
  void isLockedWhileItIsThereAndGoneAfterwards() throws IOException {
    File pids = PidFile.makeDirectory(dir.resolve("run").toString());
    Path path = pids.toPath().resolve("42");
    try (PidFile _ = PidFile.write(pids, 42, 4711)) {
      assertThat(path).hasContent("4711");
      assertThat(LockFile.tryAcquire(path)).isEmpty();
      assertThatThrownBy(() -> PidFile.write(pids, 42, 1)).hasMessageContaining("locked");
    }
    assertThat(path).doesNotExist();
  }

  @Test
  void sweepsWhatNobodyHolds() throws IOException {
    File pids = PidFile.makeDirectory(dir.toString());
    Files.writeString(pids.toPath().resolve("1"), "11");
    Files.writeString(pids.toPath().resolve("notes"), "keep");
    Files.createDirectory(pids.toPath().resolve("3"));
    try (PidFile _ = PidFile.write(pids, 2, 22)) {
      PidFile.sweep(PidFile.makeDirectory(dir.toString()));
      assertThat(pids.list()).containsExactlyInAnyOrder("2", "3", "notes");
    }
  }

  @Test
  void takesThePlaceOfAStaleOne() throws IOException {
    File pids = PidFile.makeDirectory(dir.toString());
    Files.writeString(pids.toPath().resolve("5"), "4711");
    try (PidFile _ = PidFile.write(pids, 5, 55)) {
      assertThat(pids.toPath().resolve("5")).hasContent("55");
    }
  }
}
