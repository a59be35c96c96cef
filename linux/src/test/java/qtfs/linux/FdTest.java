package qtfs.linux;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FdTest {
  @TempDir Path directory;

  private Path file(String content) throws IOException {
    return Files.writeString(directory.resolve("file"), content);
  }

  @Test
  void closesOnceAndIsOfNoUseAfterwards() throws IOException {
    Fd fd = Fd.open(file("x"), Fd.O_RDONLY);
    int number = fd.number();
    fd.close();
    // The same number for somebody else: the second close must not hit it.
    try (Fd other = Fd.open(file("x"), Fd.O_RDONLY)) {
      assertThat(other.number()).isEqualTo(number);
      fd.close();
      assertThat(FileStatus.of(other).isRegular()).isTrue();
    }
    assertThat(fd.isOpen()).isFalse();
    assertThat(fd).hasToString("closed fd");
    assertThatThrownBy(fd::number).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(fd::procPath).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> fd.read(0, 0)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(fd::duplicate).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void isNoNegativeNumber() {
    assertThatThrownBy(() -> Fd.own(-1)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void staysOutOfChildren() throws IOException {
    try (Fd fd = Fd.open(file("x"), Fd.O_RDONLY);
        Fd second = fd.duplicate();
        Fd high = fd.duplicateFrom(700);
        Fd reopened = fd.reopen(Fd.O_RDONLY);
        Pipe pipe = Pipe.open();
        UnixSocket.Pair pair = UnixSocket.pair();
        Fd socket = UnixSocket.open(UnixSocket.Type.DGRAM, false)) {
      assertThat(high.number()).isGreaterThanOrEqualTo(700);
      for (Fd one :
          List.of(fd, second, high, reopened, pipe.read(), pipe.write(), pair.first(), socket)) {
        assertThat(Fcntl.isCloseOnExec(one.number())).as(one.toString()).isTrue();
      }
      Fcntl.closeOnExec(fd.number(), false);
      assertThat(Fcntl.isCloseOnExec(fd.number())).isFalse();
    }
  }

  @Test
  void aDuplicateSharesPositionAndFlagsAndAReopenedOneDoesNot() throws IOException {
    try (Fd fd = Fd.open(file("0123456789"), Fd.O_RDONLY);
        Fd duplicate = fd.duplicate();
        Fd reopened = fd.reopen(Fd.O_RDONLY)) {
      fd.position(4);
      assertThat(duplicate.position()).isEqualTo(4);
      assertThat(reopened.position()).isZero();
      Fcntl.statusFlags(reopened, Fcntl.statusFlags(reopened) | Fd.O_NONBLOCK);
      assertThat(Fcntl.statusFlags(fd) & Fd.O_NONBLOCK).isZero();
      Fcntl.statusFlags(fd, Fcntl.statusFlags(fd) | Fd.O_NONBLOCK);
      assertThat(Fcntl.statusFlags(duplicate) & Fd.O_NONBLOCK).isNotZero();
    }
  }

  @Test
  void readsAndWritesWithTheKernelsResults() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Pipe pipe = Pipe.open()) {
      MemorySegment text = arena.allocateFrom("hello");
      assertThat(pipe.write().write(text, 5)).isEqualTo(5);
      MemorySegment buffer = arena.allocate(16);
      assertThat(pipe.read().read(buffer, 16)).isEqualTo(5);
      assertThat(buffer.getString(0)).isEqualTo("hello");
      assertThat(pipe.write().read(buffer, 16)).isEqualTo(-Errno.EBADF);
      Fcntl.statusFlags(pipe.read(), Fd.O_NONBLOCK);
      assertThat(pipe.read().read(buffer, 16)).isEqualTo(-Errno.EAGAIN);
      pipe.write().close();
      assertThat(pipe.read().read(buffer, 16)).isZero();
    }
  }

  @Test
  void writingToNobodyIsAnErrorAndNoSignal() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Pipe pipe = Pipe.open()) {
      pipe.read().close();
      assertThat(pipe.write().write(arena.allocate(1), 1)).isEqualTo(-Errno.EPIPE);
    }
  }

  @Test
  void tellsWhatCannotBeOpened() {
    assertThatThrownBy(() -> Fd.open(directory.resolve("missing"), Fd.O_RDONLY))
        .isInstanceOfSatisfying(
            LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT))
        .hasMessage("open " + directory.resolve("missing") + ": No such file or directory");
    assertThatThrownBy(() -> Fd.open("/etc/passwd\0.txt", Fd.O_RDONLY, 0))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void knowsThePathItWasOpenedBy() throws IOException {
    Path umlaut = Files.writeString(directory.resolve("file-\u00fc"), "x");
    try (Fd fd = Fd.open(umlaut.toRealPath(), Fd.O_RDONLY)) {
      assertThat(Fcntl.path(fd.number()).getBytes(UTF_8))
          .isEqualTo(umlaut.toRealPath().toString().getBytes(UTF_8));
    }
  }
}
