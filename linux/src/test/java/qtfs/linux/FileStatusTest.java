package qtfs.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FileStatusTest {
  @TempDir Path directory;

  @Test
  void tellsKindsApart() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "content");
    assertThat(FileStatus.of(file).kind()).isEqualTo("regular file");
    assertThat(FileStatus.of(file).isRegular()).isTrue();
    assertThat(FileStatus.of(directory).isDirectory()).isTrue();
    assertThat(FileStatus.of(Path.of("/dev/null")).isCharacterDevice()).isTrue();
    Pipe.makeFifo(directory.resolve("fifo"), 0600);
    assertThat(FileStatus.of(directory.resolve("fifo")).isFifo()).isTrue();
    try (UnixListener _ = UnixListener.bind(directory.resolve("s.sock"), 1);
        UnixSocket.Pair pair = UnixSocket.pair()) {
      assertThat(FileStatus.of(directory.resolve("s.sock")).isSocket()).isTrue();
      assertThat(FileStatus.of(pair.first()).isSocket()).isTrue();
      assertThat(FileStatus.of(pair.first()).isRegular()).isFalse();
    }
  }

  @Test
  void agreesWithTheJdk() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "content");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-x-w-"));
    FileStatus status = FileStatus.of(file);
    assertThat(status.permissions()).isEqualTo(0752);
    assertThat(status.size()).isEqualTo(7);
    assertThat(status.mode()).isEqualTo(Files.getAttribute(file, "unix:mode"));
    assertThat(status.uid()).isEqualTo(Files.getAttribute(file, "unix:uid"));
    assertThat(status.gid()).isEqualTo(Files.getAttribute(file, "unix:gid"));
    assertThat(status.inode()).isEqualTo(Files.getAttribute(file, "unix:ino"));
  }

  @Test
  void followsALinkOrNot() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "content");
    Path link = Files.createSymbolicLink(directory.resolve("link"), file);
    assertThat(FileStatus.of(link).sameFile(FileStatus.of(file))).isTrue();
    assertThat(FileStatus.ofLink(link).sameFile(FileStatus.of(file))).isFalse();
    assertThat(FileStatus.ofLink(link).kind()).isEqualTo("symbolic link");
  }

  @Test
  void knowsAFileThatHasMoved() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "content");
    try (Fd fd = Fd.open(file, Fd.O_RDONLY)) {
      Path moved = Files.move(file, directory.resolve("moved"));
      assertThat(FileStatus.of(fd).sameFile(FileStatus.of(moved))).isTrue();
      Files.writeString(file, "content");
      assertThat(FileStatus.of(fd).sameFile(FileStatus.of(file))).isFalse();
    }
  }

  @Test
  void theSameInodeOfAnotherDeviceIsAnotherFile() {
    FileStatus one = new FileStatus(0100600, 0, 0, 7, 8L << 32 | 1, 0, 0);
    assertThat(one.sameFile(new FileStatus(0100600, 0, 0, 7, 8L << 32 | 2, 0, 0))).isFalse();
    assertThat(one.sameFile(new FileStatus(0100644, 1, 1, 7, 8L << 32 | 1, 5, 0))).isTrue();
  }

  @Test
  void whatIsMissingHasNoStatus() {
    assertThatThrownBy(() -> FileStatus.of(directory.resolve("missing")))
        .isInstanceOfSatisfying(
            LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT));
  }
}
