package qtfs.rexec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.UnixListener;
import qtfs.testing.Stranger;

final class CtlTest {
  @TempDir private Path directory;

  @Test
  void aServerThatSaysNothingIsNotWaitedForForEver() throws Exception {
    Path socket = directory.resolve(ControlSocket.NAME);
    try (UnixListener _ = UnixListener.bind(socket, 1)) {
      assertThatThrownBy(() -> Ctl.ask(socket, "text ps", Duration.ofMillis(100)))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("does not answer");
    }
  }

  @Test
  void whatIsNoCommandIsALine() {
    for (List<String> wrong :
        List.of(
            List.<String>of(),
            List.of("--json"),
            List.of("dance"),
            List.of("kill"),
            List.of("ps", "1"),
            List.of("ps", "--run-dir"),
            List.of("--walk", "ps"))) {
      assertThatThrownBy(() -> Ctl.run(wrong))
          .as("%s", wrong)
          .isInstanceOf(IOException.class)
          .hasMessageContaining(Ctl.USAGE);
    }
  }

  @Test
  void theRunDirectoryStandsBeforeOrBehindTheCommand() {
    String there = directory.resolve("there").toString();
    for (List<String> line :
        List.of(
            List.of("--run-dir", there, "ps"),
            List.of("ps", "--run-dir=" + there),
            List.of("--run-dir", "/elsewhere", "kill", "--run-dir", there, "1", "TERM"))) {
      assertThatThrownBy(() -> Ctl.run(line))
          .as("%s", line)
          .isInstanceOf(IOException.class)
          .hasMessageContaining(there);
    }
  }

  @Test
  void theSocketIsNobodyElsesWhateverItsMode() throws Exception {
    Path socket = directory.resolve(ControlSocket.NAME);
    ServerContext context =
        new ServerContext(
            CurrentPolicy.load(PolicyFiles.beside(Harness.whitelist(directory, "/bin/true"))),
            directory,
            List.of());
    try (ControlSocket _ = ControlSocket.start(directory, new Control(context))) {
      assertThat(Stranger.ask(socket, "text status", directory)).isEqualTo("[]");
      assertThat(Ctl.ask(socket, "text status", Harness.LIMIT)).startsWith("0\n");
    }
  }
}
