package qtfs.rexec;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.UnixListener;

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
}
