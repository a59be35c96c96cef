package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import qtfs.linux.Fd;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;

/** A session whose link is a vsock channel is like any other. */
final class VsockPairSessionTest extends SessionPromises {
  @Override
  ProxyPair open(Path two) throws Exception {
    return ProxyPair.open(two);
  }

  @Override
  Fd connect(ProxyPair proxies, String name) throws IOException {
    return VsockPair.connect(proxies, proxies.path(name));
  }

  /** What a channel of a kind that Netty does not know to be half-closed loses. */
  @Test
  void aPeerThatHalfClosesAndReadsSlowlyGetsEverything() throws Exception {
    int length = 32 << 20;
    try (UnixListener listener = proxies.listen("slow.sock");
        Fd link = VsockPair.accepted(proxies.b().shared())) {

      Sockets.write(link, SlowReaderTest.request(listener.path()));
      assertThat(Sockets.read(link, PeerRequest.ANSWER_LENGTH)).containsOnly(0);
      try (Fd target = ProxyPair.accept(listener)) {
        UnixSocket.shutdownWrite(link);
        assertThat(Sockets.readAll(target)).isEmpty();
        CompletableFuture<Void> writer =
            CompletableFuture.runAsync(() -> SlowReaderTest.writeRest(target, length));
        assertThat(SlowReaderTest.payload(count -> Sockets.read(link, count))).isEqualTo(length);
        writer.get(30, TimeUnit.SECONDS);
      }
    }
  }
}
