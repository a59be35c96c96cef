package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import qtfs.linux.Fd;
import qtfs.linux.UnixListener;
import qtfs.testing.Await;

/** All who ask for one path at once get a connection, each one of its own. */
final class ManyAtOnceTest {
  private static final Deadlines PATIENT =
      new Deadlines(
          Duration.ofSeconds(30),
          Duration.ofSeconds(30),
          Duration.ofSeconds(30),
          Duration.ofSeconds(1));

  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource({"32, 1", "256, 1", "256, 3"})
  void eachGetsItsOwnPeer(int count, int threads) throws Exception {
    try (ProxyPair proxies =
            new ProxyPair(directory, PATIENT, ProxyPair.allowing(directory), threads);
        UnixListener listener = proxies.listen("t.sock");
        ExecutorService workers = Executors.newFixedThreadPool(count + 1)) {
      Set<Integer> heard = ConcurrentHashMap.newKeySet();
      Future<?> server = workers.submit(() -> serve(listener, count, heard));
      List<Callable<Integer>> applications = new ArrayList<>();
      for (int id = 0; id < count; id++) {
        int own = id;
        applications.add(() -> echoThrough(proxies, own));
      }
      List<Future<Integer>> echoes = workers.invokeAll(applications, 60, TimeUnit.SECONDS);
      for (int id = 0; id < count; id++) {
        assertThat(echoes.get(id).get()).isEqualTo(id);
      }
      server.get(10, TimeUnit.SECONDS);
      assertThat(heard).hasSize(count);
      Await.until("no stand-in is left", () -> !proxies.path("t.sock.proxy").toFile().exists());
      Await.until("no session is left", () -> proxies.a().shared().relays().isEmpty());
    }
  }

  /** Answers each connection with the number that it says. */
  private static Void serve(UnixListener listener, int count, Set<Integer> heard)
      throws IOException {
    List<Fd> connections = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        Fd connection = ProxyPair.accept(listener);
        connections.add(connection);
      }
      // Only now, so that all are open at once.
      for (Fd connection : connections) {
        byte[] id = Sockets.read(connection, 4);
        heard.add(ByteBuffer.wrap(id).getInt());
        Sockets.write(connection, id);
      }
    } finally {
      Fd.closeAll(connections);
    }
    return null;
  }

  private static int echoThrough(ProxyPair proxies, int id) throws IOException {
    try (Fd application = proxies.connect("t.sock")) {
      Sockets.write(application, ByteBuffer.allocate(4).putInt(id).array());
      byte[] echo = Sockets.read(application, 4);
      assertThat(Sockets.read(application, 1)).isEmpty();
      return ByteBuffer.wrap(echo).getInt();
    }
  }
}
