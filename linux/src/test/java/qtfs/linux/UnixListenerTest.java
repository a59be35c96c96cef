package qtfs.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class UnixListenerTest {
  @TempDir Path directory;

  private Path path() {
    return directory.resolve("s.sock");
  }

  /** A socket file that its program has left behind. */
  private void leaveDeadSocket() throws IOException {
    ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    channel.bind(UnixDomainSocketAddress.of(path()));
    channel.close();
    assertThat(FileStatus.ofLink(path()).isSocket()).isTrue();
  }

  @Test
  void acceptsAndKnowsWhoConnects() throws IOException {
    try (UnixListener listener = UnixListener.bind(path(), 8)) {
      assertThat(listener.accept(false)).isEqualTo(-Errno.EAGAIN);
      try (Fd client = UnixSocket.connect(path().toString());
          Fd accepted = Fd.own(listener.accept(false))) {
        assertThat(Fcntl.isCloseOnExec(accepted.number())).isTrue();
        assertThat(Fcntl.statusFlags(accepted) & Fd.O_NONBLOCK).isNotZero();
        assertThat(UnixSocket.peerCredentials(accepted).pid()).isEqualTo(ProcessAttributes.pid());
        assertThat(UnixSocket.peerCredentials(accepted).uid()).isEqualTo(ProcessAttributes.uid());
        assertThat(UnixSocket.takeError(client)).isZero();
      }
      assertThat(Fcntl.isCloseOnExec(listener.number())).isTrue();
    }
    assertThat(path()).doesNotExist();
  }

  @Test
  void takesThePlaceOfADeadSocket() throws IOException {
    leaveDeadSocket();
    try (UnixListener listener = UnixListener.bind(path(), 8);
        Fd _ = UnixSocket.connect(path().toString())) {
      Fd.own(listener.accept(false)).close();
    }
  }

  @Test
  void namesTheDirectoryToMake() {
    Path path = directory.resolve("no/such/s.sock");
    assertThatThrownBy(() -> UnixListener.bind(path, 8))
        .isInstanceOf(IOException.class)
        .hasMessage(
            "cannot listen at %s: there is no such directory: mkdir -p %s"
                .formatted(path, path.getParent()));
  }

  @Test
  void leavesALiveSocketAlone() throws IOException {
    try (UnixListener alive = UnixListener.bind(path(), 8)) {
      assertThatThrownBy(() -> UnixListener.bind(path(), 8))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("in use");
      try (Fd _ = UnixSocket.connect(path().toString())) {
        // The probe is in the queue before it.
        Fd.own(alive.accept(false)).close();
        Fd.own(alive.accept(false)).close();
      }
    }
  }

  @Test
  void leavesALiveSocketWithAFullBacklogAlone() throws IOException {
    try (UnixListener _ = UnixListener.bind(path(), 0);
        Fd _ = UnixSocket.connect(path().toString())) {
      assertThatThrownBy(() -> UnixListener.bind(path(), 8)).hasMessageContaining("in use");
      assertThat(path()).exists();
    }
  }

  @Test
  void leavesADatagramSocketAlone() throws IOException, InterruptedException {
    Process other =
        new ProcessBuilder(
                "python3",
                "-c",
                "import socket,sys; s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM);"
                    + "s.bind(sys.argv[1]); print('bound',flush=True); sys.stdin.read()",
                path().toString())
            .start();
    try {
      assertThat(other.getInputStream().read()).isEqualTo('b');
      assertThatThrownBy(() -> UnixListener.bind(path(), 8)).hasMessageContaining("in use");
      assertThat(path()).exists();
    } finally {
      other.destroyForcibly().waitFor();
    }
  }

  @Test
  void leavesEverythingElseAlone() throws IOException {
    Files.writeString(path(), "precious");
    assertThatThrownBy(() -> UnixListener.bind(path(), 8))
        .hasMessageContaining("regular file, not a socket");
    assertThat(path()).hasContent("precious");
    Files.delete(path());
    Files.createDirectory(path());
    assertThatThrownBy(() -> UnixListener.bind(path(), 8)).hasMessageContaining("directory");
    Files.delete(path());
    Path elsewhere = directory.resolve("elsewhere.sock");
    Files.createSymbolicLink(path(), elsewhere);
    assertThatThrownBy(() -> UnixListener.bind(path(), 8)).hasMessageContaining("symbolic link");
    assertThat(path()).isSymbolicLink();
    assertThat(elsewhere).doesNotExist();
  }

  @Test
  void removesOnlyItsOwn() throws IOException {
    try (UnixListener _ = UnixListener.bind(path(), 8)) {
      Files.move(path(), directory.resolve("moved.sock"));
      Files.writeString(path(), "somebody else's");
    }
    assertThat(path()).hasContent("somebody else's");
    assertThat(directory.resolve("moved.sock")).exists();
  }

  @Test
  void removesOnlyItsOwnSocket() throws IOException {
    UnixListener first = UnixListener.bind(path(), 8);
    Files.delete(path());
    try (UnixListener second = UnixListener.bind(path(), 8)) {
      first.close();
      try (Fd _ = UnixSocket.connect(path().toString())) {
        Fd.own(second.accept(false)).close();
      }
    }
  }

  @Test
  void doesNotMindThatItsFileIsGone() throws IOException {
    UnixListener listener = UnixListener.bind(path(), 8);
    Files.delete(path());
    listener.close();
    assertThat(path()).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 022, 077})
  void isTheOwnersAloneWhateverTheUmask(int umask) throws IOException {
    int before = ProcessAttributes.umask(umask);
    try (UnixListener _ = UnixListener.bind(path(), 8)) {
      assertThat(FileStatus.ofLink(path()).permissions()).isEqualTo(0600);
    } finally {
      ProcessAttributes.umask(before);
    }
  }

  /** What bind itself makes, looked at before anybody could have changed it. */
  @ParameterizedTest
  @ValueSource(ints = {0, 022, 077})
  void isTheOwnersAloneFromItsFirstMoment(int umask) throws IOException {
    int before = ProcessAttributes.umask(umask);
    try (Fd socket = UnixSocket.open(UnixSocket.Type.STREAM, true)) {
      assertThat(UnixSocket.bindOwnerOnly(socket, path().toString())).isZero();
      assertThat(FileStatus.ofLink(path()).permissions()).isEqualTo(0600);
    } finally {
      ProcessAttributes.umask(before);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 022, 077})
  void isOpenToWhomItIsGranted(int umask) throws IOException {
    var users = directory.getFileSystem().getUserPrincipalLookupService();
    int before = ProcessAttributes.umask(umask);
    try (UnixListener listener = UnixListener.bind(path(), 8)) {
      boolean mayGive = ProcessAttributes.uid() == 0;
      listener.grant(
          0666,
          mayGive ? users.lookupPrincipalByName("1") : null,
          mayGive ? users.lookupPrincipalByGroupName("2") : null);
      FileStatus status = FileStatus.ofLink(path());
      assertThat(status.permissions()).isEqualTo(0666);
      assertThat(status.uid()).isEqualTo(mayGive ? 1 : ProcessAttributes.uid());
      if (mayGive) {
        assertThat(status.gid()).isEqualTo(2);
      }
    } finally {
      ProcessAttributes.umask(before);
    }
  }

  @Test
  void grantsNothingOfAFileInItsPlace() throws IOException {
    Path precious = Files.writeString(directory.resolve("precious"), "mine");
    int mode = FileStatus.of(precious).permissions();
    try (UnixListener listener = UnixListener.bind(path(), 8)) {
      Files.delete(path());
      Files.createSymbolicLink(path(), precious);
      assertThatThrownBy(() -> listener.grant(0777, null, null)).hasMessageContaining("replaced");
      assertThat(FileStatus.of(precious).permissions()).isEqualTo(mode).isNotEqualTo(0777);
    }
  }

  @Test
  void failsWhereItCannotBe() {
    assertThatThrownBy(() -> UnixListener.bind(directory.resolve("no/s.sock"), 8))
        .isInstanceOf(IOException.class);
    String name = "s".repeat(200);
    assertThatThrownBy(() -> UnixListener.bind(directory.resolve(name), 8))
        .isInstanceOf(IOException.class);
  }

  @Test
  void aConnectionToNobodySaysWhy() throws IOException {
    assertThatThrownBy(() -> UnixSocket.connect(path().toString()))
        .isInstanceOfSatisfying(
            LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT));
    leaveDeadSocket();
    assertThatThrownBy(() -> UnixSocket.connect(path().toString()))
        .hasMessageContaining("Connection refused");
    assertThatThrownBy(() -> UnixSocket.connect("/" + "s".repeat(107)))
        .hasMessageContaining("File name too long");
  }
}
