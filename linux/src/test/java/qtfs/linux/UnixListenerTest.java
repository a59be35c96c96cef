package qtfs.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class UnixListenerTest {
  @TempDir Path dir;

  /** What bind itself makes, looked at before anybody could have changed it. */
  @ParameterizedTest
  @ValueSource(ints = {0, 0022, 0077})
  void theSocketIsItsOwnersFromItsFirstMoment(int umask) throws IOException {
    Path path = dir.resolve("x.sock");
    int before = ProcessAttributes.umask(umask);
    try (Fd socket = UnixSocket.open(UnixSocket.Type.STREAM, true)) {
      assertThat(UnixSocket.bindOwnerOnly(socket, path.toString())).isZero();
      assertThat(FileStatus.ofLink(path).permissions()).isEqualTo(0600);
    } finally {
      ProcessAttributes.umask(before);
    }
  }

  @Test
  void listensOwnerOnlyWithUmaskZeroAndTakesItsFileAlong() throws IOException {
    Path path = dir.resolve("x.sock");
    int before = ProcessAttributes.umask(0);
    try (UnixListener listener = UnixListener.bind(path, 1)) {
      assertThat(FileStatus.ofLink(path).permissions()).isEqualTo(0600);
      assertThat(Fcntl.isCloseOnExec(listener.number())).isTrue();
      assertThat(listener.accept(true)).isEqualTo(-Errno.EAGAIN);
      try (Fd connected = UnixSocket.connect(path.toString());
          Fd accepted = Fd.own(listener.accept(true))) {
        assertThat(UnixSocket.peerCredentials(accepted).pid()).isEqualTo(ProcessAttributes.pid());
        assertThat(connected.isOpen()).isTrue();
      }
    } finally {
      ProcessAttributes.umask(before);
    }
    assertThat(path).doesNotExist();
  }

  @Test
  void takesThePlaceOfADeadSocketOnly() throws IOException {
    Path path = dir.resolve("x.sock");
    try (Fd dead = UnixSocket.open(UnixSocket.Type.STREAM, true)) {
      assertThat(UnixSocket.bindOwnerOnly(dead, path.toString())).isZero();
    }
    try (UnixListener listener = UnixListener.bind(path, 1)) {
      assertThatThrownBy(() -> UnixListener.bind(path, 1))
          .hasMessage(path + " is in use by another program");
      assertThat(listener.path()).exists();
    }
    Files.writeString(path, "precious");
    assertThatThrownBy(() -> UnixListener.bind(path, 1))
        .hasMessageContaining("is a regular file, not a socket");
    assertThat(path).hasContent("precious");
  }

  @Test
  void aPathTooLongIsToldWithThePath() {
    Path path = dir.resolve("x".repeat(108));
    assertThatThrownBy(() -> UnixListener.bind(path, 1))
        .hasMessage("cannot listen at " + path + ": File name too long");
  }
}
