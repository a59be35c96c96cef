package qtfs.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RunDirectoryTest {
  @TempDir Path dir;

  @Test
  void isMadeForItsOwnerAlone() throws IOException {
    RunDirectory.prepare(dir.resolve("a/b"));
    assertThat(FileStatus.of(dir.resolve("a/b")).permissions()).isEqualTo(0700);
  }

  @Test
  void isClosedToOthers() throws IOException {
    Path open = Files.createDirectory(dir.resolve("open"));
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
    RunDirectory.prepare(open);
    assertThat(FileStatus.of(open).permissions()).isEqualTo(0700);
  }

  @Test
  void aFileInItsPlaceIsNamed() throws IOException {
    Path file = Files.createFile(dir.resolve("file"));
    assertThatThrownBy(() -> RunDirectory.prepare(file))
        .isInstanceOf(IOException.class)
        .hasMessage(
            "the run directory "
                + file
                + " is no directory: move it away, or give another --run-dir");
  }
}
