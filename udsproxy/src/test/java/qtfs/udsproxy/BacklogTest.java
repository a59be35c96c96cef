package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;
import qtfs.testing.Ports;

/**
 * As many sessions without readers as would use up the memory of a daemon several times: all are
 * paused, none fails, and who has a reader goes on.
 */
final class BacklogTest {
  private static final int STALLED = 120;
  private static final long MOST = 4 << 20;
  private static final List<String> MEMORY = List.of("-XX:MaxDirectMemorySize=24m");

  @TempDir Path directory;
  private final List<AutoCloseable> open = new ArrayList<>();
  private Path run;

  @BeforeEach
  void start() throws Exception {
    int a = Ports.free();
    int b = Ports.free();
    Path whitelist = directory.resolve("whitelist");
    Files.writeString(whitelist, ProxyPair.allowing(directory));
    run = directory.resolve("a");
    startDaemon(run, whitelist, a, b);
    startDaemon(directory.resolve("b"), whitelist, b, a);
  }

  private void startDaemon(Path runDirectory, Path whitelist, int port, int peer) throws Exception {
    List<String> arguments =
        List.of(
            "--run-dir=" + runDirectory,
            "--whitelist=" + whitelist,
            "--max-buffered-total=" + MOST,
            "1",
            "127.0.0.1",
            Integer.toString(port),
            "127.0.0.1",
            Integer.toString(peer));
    keep(DaemonProcess.startWith(MEMORY, directory, arguments)).ready();
  }

  private <T extends AutoCloseable> T keep(T one) {
    open.add(one);
    return one;
  }

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable one : open.reversed()) {
      one.close();
    }
  }

  private Fd connect(UnixSocket.Type type, String name) throws IOException {
    return keep(ProxyPair.connect(run, type, directory.resolve(name)));
  }

  /** Fills a session in both directions, as far as it takes anything within a moment. */
  private static void fill(Fd one, Fd other) throws IOException {
    for (Fd fd : List.of(one, other)) {
      Fcntl.statusFlags(fd, Fd.O_RDWR | Fd.O_NONBLOCK);
      Sockets.fill(fd);
    }
  }

  private double held() throws IOException {
    return Scrape.of(run).value("qtfs_proxy_buffered_bytes");
  }

  private static double hits(Path daemon) throws IOException {
    return Scrape.of(daemon).value("qtfs_proxy_limit_hits_total{limit=\"max-buffered-total\"}");
  }

  @Test
  void thousandsWhoReadNothingDoNotUseUpTheMemory() throws Exception {
    UnixListener streams = keep(UnixListener.bind(directory.resolve("t.sock"), 1024));
    UnixListener packets =
        keep(UnixListener.bind(directory.resolve("p.sock"), UnixSocket.Type.SEQPACKET, 1024));
    Fd application = connect(UnixSocket.Type.STREAM, "t.sock");
    Fd server = keep(ProxyPair.accept(streams));
    Fd sender = connect(UnixSocket.Type.SEQPACKET, "p.sock");
    Fd receiver = keep(ProxyPair.accept(packets));
    List<Fd> stalled = new ArrayList<>();
    for (int i = 0; i < STALLED; i++) {
      boolean packet = i % 8 == 7;
      stalled.add(
          connect(
              packet ? UnixSocket.Type.SEQPACKET : UnixSocket.Type.STREAM,
              packet ? "p.sock" : "t.sock"));
      stalled.add(keep(ProxyPair.accept(packet ? packets : streams)));
    }
    Await.until(
        "the bound is met",
        () -> {
          for (int i = 0; i < stalled.size(); i += 2) { // the kernel takes megabytes itself
            fill(stalled.get(i), stalled.get(i + 1));
          }
          return hits(run) > 0;
        });
    assertThat(held()).isLessThan(2.0 * MOST);
    assertGoesOn(application, server);
    Sockets.send(sender, "message", List.of());
    Fd.closeAll(stalled);
    assertThat(Sockets.receive(receiver).text()).isEqualTo("message");
    Await.until("nothing is held", () -> held() == 0);
    assertGoesOn(application, server);
  }

  private static void assertGoesOn(Fd application, Fd server) throws Exception {
    byte[] bytes = new byte[2_000_000];
    new Random(1).nextBytes(bytes);
    CompletableFuture<Void> writer =
        CompletableFuture.runAsync(
            () -> {
              try {
                Sockets.write(application, bytes);
              } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
              }
            });
    assertThat(Arrays.equals(Sockets.read(server, bytes.length), bytes)).isTrue();
    writer.get(10, TimeUnit.SECONDS);
  }
}
