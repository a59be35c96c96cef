package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import qtfs.linux.Fd;
import qtfs.linux.Pipe;
import qtfs.linux.UnixSocket;

/** Nothing of a descriptor that was handed over waits for the time when it would have expired. */
final class PassedFdsTest {
  private final PassedFds<PassedFds.Socket> passed = PassedFds.sockets();
  private final CompletableFuture<Boolean> expiry = new CompletableFuture<>();

  private static PassedFds.Socket socket(Fd fd) {
    return new PassedFds.Socket(fd, "session", 0);
  }

  @Test
  void theExpiryOfATakenOneIsCancelled() throws Exception {
    try (UnixSocket.Pair pair = UnixSocket.pair()) {
      long token = passed.keep(socket(pair.first()));
      passed.expires(token, expiry);
      assertThat(expiry).isNotDone();
      assertThat(passed.take(token, socket -> true).fd()).isSameAs(pair.first());
      assertThat(expiry).isCancelled();
      assertThat(pair.first().isOpen()).isTrue();
    }
  }

  @Test
  void theExpiryOfAllIsCancelledAtTheEnd() throws Exception {
    try (Pipe pipe = Pipe.open()) {
      passed.expires(passed.keep(socket(pipe.read())), expiry);
      passed.close();
      assertThat(expiry).isCancelled();
      assertThat(pipe.read().isOpen()).isFalse();
    }
  }
}
