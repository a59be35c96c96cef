package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
import qtfs.linux.Pipe;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;

/** What an application and its server, connected through two proxies, can tell of the proxies. */
abstract class SessionPromises {
  @TempDir Path directory;
  ProxyPair proxies;
  private UnixListener listener;
  private Fd application;
  private Fd server;

  @BeforeEach
  void connect() throws Exception {
    proxies = open(directory);
    listener = proxies.listen("server.sock");
    application = connect(proxies, "server.sock");
    server = ProxyPair.accept(listener);
  }

  /** Two proxies, linked as a class of tests is about. */
  abstract ProxyPair open(Path two) throws Exception;

  /** An application that A's proxy has connected to a socket of B's. */
  Fd connect(ProxyPair two, String name) throws IOException {
    return two.connect(name);
  }

  @AfterEach
  void close() {
    application.close();
    server.close();
    listener.close();
    proxies.close();
  }

  @Test
  void bytesGoBothWays() throws Exception {
    Sockets.write(application, "hello");
    assertThat(Sockets.readText(server, 5)).isEqualTo("hello");
    Sockets.write(server, "hello yourself");
    assertThat(Sockets.readText(application, 14)).isEqualTo("hello yourself");
  }

  @Test
  void muchGoesBothWaysAtOnceWithSlowReaders() throws Exception {
    byte[] up = new byte[20_000_000];
    byte[] down = new byte[20_000_000];
    new Random(1).nextBytes(up);
    new Random(2).nextBytes(down);
    var writers =
        CompletableFuture.allOf(
            run(() -> Sockets.write(application, up)), run(() -> Sockets.write(server, down)));
    var atServer = new CompletableFuture<byte[]>();
    var reader = run(() -> atServer.complete(Sockets.read(server, up.length)));
    assertThat(Arrays.equals(Sockets.read(application, down.length), down)).isTrue();
    assertThat(Arrays.equals(atServer.get(30, TimeUnit.SECONDS), up)).isTrue();
    CompletableFuture.allOf(writers, reader).get(30, TimeUnit.SECONDS);
  }

  @Test
  void theEndOfTheRequestLetsTheReplyThrough() throws Exception {
    Sockets.write(application, "request");
    UnixSocket.shutdownWrite(application);
    assertThat(Sockets.readAll(server)).isEqualTo("request");
    Sockets.write(server, "reply");
    server.close();
    assertThat(Sockets.readAll(application)).isEqualTo("reply");
  }

  @Test
  void whatWasSentBeforeClosingArrives() throws Exception {
    byte[] sent = new byte[3_000_000];
    new Random(3).nextBytes(sent);
    var writer =
        run(
            () -> {
              Sockets.write(application, sent);
              application.close();
            });
    Sockets.write(server, "something that nobody reads");
    assertThat(Arrays.equals(Sockets.read(server, sent.length + 1), sent)).isTrue();
    writer.get(10, TimeUnit.SECONDS);
  }

  @Test
  void theServersEndReachesTheApplication() throws Exception {
    server.close();
    assertThat(Sockets.readAll(application)).isEmpty();
  }

  @Test
  void aRegularFileIsOpenedThereWithItsFlags() throws Exception {
    Path file = Files.writeString(directory.resolve("file"), "content");
    try (Fd fd = Fd.open(file, Fd.O_RDWR | Fd.O_APPEND)) {
      Sockets.send(application, "one file", List.of(fd));
    }
    Sockets.Message message = Sockets.receive(server);
    assertThat(message.text()).isEqualTo("one file");
    assertThat(message.fds()).hasSize(1);
    try (Fd received = message.fds().get(0)) {
      assertThat(Sockets.readText(received, 7)).isEqualTo("content");
      assertThat(Fcntl.statusFlags(received) & (Fd.O_ACCMODE | Fd.O_APPEND))
          .isEqualTo(Fd.O_RDWR | Fd.O_APPEND);
    }
  }

  @Test
  void theReadEndOfAPipeCarriesBytesThere() throws Exception {
    try (Pipe pipe = Pipe.open()) {
      Sockets.send(application, "x", List.of(pipe.read()));
      pipe.read().close();
      Sockets.Message message = Sockets.receive(server);
      assertThat(message.text()).isEqualTo("x");
      Sockets.write(pipe.write(), "through the pipe");
      try (Fd received = message.fds().get(0)) {
        assertThat(Sockets.readText(received, 16)).isEqualTo("through the pipe");
        pipe.write().close();
        assertThat(Sockets.readAll(received)).isEmpty();
      }
    }
  }

  @Test
  void theWriteEndOfAPipeCarriesBytesBack() throws Exception {
    try (Pipe pipe = Pipe.open()) {
      Sockets.send(application, "x", List.of(pipe.write()));
      pipe.write().close();
      try (Fd received = Sockets.receive(server).fds().get(0)) {
        Sockets.write(received, "from the server");
        assertThat(Sockets.readText(pipe.read(), 15)).isEqualTo("from the server");
      }
      assertThat(Sockets.readAll(pipe.read())).isEmpty();
    }
  }

  @Test
  void whoWritesToAPipeWithoutReadersThereIsTold() throws Exception {
    try (Pipe pipe = Pipe.open()) {
      Sockets.send(application, "x", List.of(pipe.read()));
      pipe.read().close();
      Sockets.receive(server).fds().get(0).close();
      byte[] much = new byte[1 << 20];
      var writer = run(() -> Sockets.write(pipe.write(), much));
      assertThat(writer)
          .failsWithin(10, TimeUnit.SECONDS)
          .withThrowableThat()
          .withMessageContaining("Broken pipe");
    }
  }

  @Test
  void manyDescriptorsKeepTheirOrder() throws Exception {
    Path file = Files.writeString(directory.resolve("file"), "a file");
    for (int count : new int[] {1, 2, 63, 64, 65, 253}) {
      List<Fd> sent = new java.util.ArrayList<>();
      for (int i = 0; i < count; i++) {
        Fd fd = Fd.open(file, i % 2 == 0 ? Fd.O_RDONLY : Fd.O_WRONLY);
        sent.add(fd);
      }
      Sockets.send(application, "files", sent);
      Fd.closeAll(sent);
      Sockets.Message message = Sockets.receive(server);
      assertThat(message.fds()).hasSize(count);
      for (int i = 0; i < count; i++) {
        assertThat(Fcntl.statusFlags(message.fds().get(i)) & Fd.O_ACCMODE)
            .isEqualTo(i % 2 == 0 ? Fd.O_RDONLY : Fd.O_WRONLY);
      }
      Fd.closeAll(message.fds());
    }
  }

  @Test
  void whatCannotCrossLeavesTheMessage() throws Exception {
    try (UnixSocket.Pair pair = UnixSocket.pair(UnixSocket.Type.SEQPACKET)) {
      Sockets.send(application, "a socket", List.of(pair.first()));
      Sockets.Message message = Sockets.receive(server);
      assertThat(message.text()).isEqualTo("a socket");
      assertThat(message.fds()).isEmpty();
    }
  }

  private interface Task {
    void run() throws Exception;
  }

  /** Runs something that blocks beside the test. */
  private static CompletableFuture<Void> run(Task task) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              try {
                task.run();
                done.complete(null);
              } catch (Exception e) {
                done.completeExceptionally(e);
              }
            });
    return done;
  }
}
