package qtfs.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a service manager hands over, here at higher numbers than 3, which are the JVM's. */
final class ListenFdsTest {
  private static final int PID = 4711;
  private static final int LOWEST = 700;

  @TempDir Path dir;
  private Path path;
  private Fd socket;

  @BeforeEach
  void listen() throws IOException {
    path = dir.resolve("socket");
    socket = UnixSocket.open(UnixSocket.Type.STREAM, true);
    assertThat(UnixSocket.bindOwnerOnly(socket, path.toString())).isZero();
    assertThat(UnixSocket.listen(socket, 8)).isZero();
  }

  @AfterEach
  void close() {
    socket.close();
  }

  private static Map<String, String> variables(String count, String names) {
    Map<String, String> all = new HashMap<>();
    all.put("LISTEN_PID", Integer.toString(PID));
    all.put("LISTEN_FDS", count);
    all.put("LISTEN_FDNAMES", names);
    return all;
  }

  /** Copies of these descriptors in a row, inheritable; ListenFds becomes their owner. */
  private static ListenFds given(String names, Fd... fds) throws IOException {
    int first = fds[0].duplicateFrom(LOWEST).number();
    Fcntl.closeOnExec(first, false);
    for (int i = 1; i < fds.length; i++) {
      int next = fds[i].duplicateFrom(first + i).number();
      assertThat(next).isEqualTo(first + i);
      Fcntl.closeOnExec(next, false);
    }
    return ListenFds.from(variables(Integer.toString(fds.length), names), PID, first);
  }

  @Test
  void aListenerIsTakenByItsName() throws IOException {
    try (ListenFds fds = given("other:requests", socket, socket)) {
      assertThat(fds.takeStream("link", SocketFamily.UNIX)).isEmpty();
      Fd taken = fds.takeStream("requests", SocketFamily.INET, SocketFamily.UNIX).orElseThrow();
      assertThat(Fcntl.isCloseOnExec(taken.number())).isTrue();
      assertThat(fds.takeStream("requests", SocketFamily.UNIX)).isEmpty();
      assertThatThrownBy(() -> fds.requireNoMore(List.of("requests", "link")))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("\"other\" has no use here: set FileDescriptorName=")
          .hasMessageContaining("requests or link");
      try (UnixListener listener = UnixListener.inherited(taken);
          Fd _ = UnixSocket.connect(path.toString())) {
        assertThat(listener.path()).isEqualTo(path);
        Fd.own(listener.accept(true)).close();
        assertThat(listener.accept(false)).as("does not block").isEqualTo(-Errno.EAGAIN);
      }
      assertThat(path).as("not ours to remove").exists();
    }
  }

  @Test
  void whatNobodyTakesIsClosed() throws IOException {
    ListenFds fds = given("requests", socket);
    fds.close();
    socket.close();
    assertThatThrownBy(() -> UnixSocket.connect(path.toString()))
        .isInstanceOf(LinuxException.class)
        .hasMessageContaining("Connection refused");
  }

  @Test
  void otherProcessesSocketsAreNotOurs() throws IOException {
    Map<String, String> theirs = variables("1", "requests");
    theirs.put("LISTEN_PID", Integer.toString(PID + 1));
    for (Map<String, String> none : List.of(Map.<String, String>of(), theirs)) {
      try (ListenFds fds = ListenFds.from(none, PID, LOWEST)) {
        fds.requireNoMore(List.of());
      }
    }
  }

  @Test
  void aSocketOfAnotherKindIsTold() throws IOException {
    try (UnixSocket.Pair pair = UnixSocket.pair();
        Fd file = Fd.open(Path.of("/dev/null"), Fd.O_RDONLY);
        ListenFds fds = given("connected:file:unix", pair.first(), file, socket)) {
      assertThatThrownBy(() -> fds.takeStream("connected", SocketFamily.UNIX))
          .hasMessageContaining("\"connected\" (fd 7")
          .hasMessageContaining(
              ") is a unix STREAM socket, must be a listening unix STREAM socket");
      assertThatThrownBy(() -> fds.takeStream("file", SocketFamily.UNIX))
          .hasMessageContaining("is a character device, must be");
      assertThatThrownBy(() -> fds.takeStream("unix", SocketFamily.INET, SocketFamily.INET6))
          .hasMessageContaining(
              "is a listening unix STREAM socket, must be a listening IPv4 or IPv6")
          .hasMessageContaining("ListenStream=");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "x, requests, 'LISTEN_FDS is \"x\", must be a number'",
    "-1, requests, 'LISTEN_FDS is \"-1\"'",
    "2, requests, 'LISTEN_FDNAMES is \"requests\", must be 2 names'",
    "1, requests, 'Bad file descriptor'"
  })
  void variablesThatCannotBeAreTold(String count, String names, String said) {
    int nobodys = 100_000;
    assertThatThrownBy(() -> ListenFds.from(variables(count, names), PID, nobodys))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(said);
  }

  @Test
  void eachHasANameOfItsOwn() {
    assertThatThrownBy(() -> given("a:a", socket, socket))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("two inherited sockets are named \"a\"");
  }
}
