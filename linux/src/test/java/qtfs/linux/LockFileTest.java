package qtfs.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LockFileTest {
  @TempDir Path directory;

  private Optional<LockFile> acquire() throws LinuxException {
    return LockFile.tryAcquire(directory.resolve("lock"));
  }

  @Test
  void hasOneHolderAtATime() throws IOException {
    try (LockFile _ = acquire().orElseThrow()) {
      assertThat(acquire()).isEmpty();
    }
    acquire().orElseThrow().close();
  }

  @Test
  void holdsOffOtherProcesses() throws Exception {
    try (LockFile _ = acquire().orElseThrow()) {
      assertThat(flock()).isEqualTo(1);
    }
    assertThat(flock()).isZero();
  }

  private int flock() throws Exception {
    return new ProcessBuilder("flock", "-n", directory.resolve("lock").toString(), "true")
        .start()
        .waitFor();
  }

  @Test
  void failingToAcquireLeavesNoDescriptor() throws IOException {
    try (LockFile _ = acquire().orElseThrow()) {
      int before = Spawn.openNumbers().size();
      for (int i = 0; i < 50; i++) {
        assertThat(acquire()).isEmpty();
      }
      assertThat(Spawn.openNumbers()).hasSizeLessThan(before + 25);
    }
  }

  @Test
  void isMadeForTheOwnerAlone() throws IOException {
    int before = ProcessAttributes.umask(0);
    try (LockFile lock = acquire().orElseThrow()) {
      assertThat(FileStatus.of(lock.fd()).permissions()).isEqualTo(0600);
      assertThat(Fcntl.isCloseOnExec(lock.fd().number())).isTrue();
    } finally {
      ProcessAttributes.umask(before);
    }
  }

  @Test
  void keepsWhatIsInTheFile() throws IOException {
    Files.writeString(directory.resolve("lock"), "content");
    acquire().orElseThrow().close();
    assertThat(directory.resolve("lock")).hasContent("content");
  }

  @Test
  void isNoDirectory() throws IOException {
    Files.createDirectory(directory.resolve("lock"));
    assertThatThrownBy(this::acquire).hasMessageContaining("Is a directory");
  }
}
