package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.Pipe;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;

/** Which descriptors cross in v1, which stay behind, and that a message survives those that do. */
final class DescriptorKindsTest {
  @TempDir Path directory;
  private ProxyPair proxies;
  private UnixListener listener;
  private Fd application;
  private Fd server;

  @BeforeEach
  void connect() throws Exception {
    proxies = ProxyPair.open(directory, Dialect.V1);
    listener = proxies.listen("server.sock");
    application = proxies.connect("server.sock");
    server = ProxyPair.accept(listener);
  }

  @AfterEach
  void close() {
    application.close();
    server.close();
    listener.close();
    proxies.close();
  }

  /** What arrives of one message with these descriptors, beside its text. */
  private List<Fd> pass(String text, List<Fd> fds) throws IOException {
    Sockets.send(application, text, fds);
    Sockets.Message message = Sockets.receive(server);
    assertThat(message.text()).isEqualTo(text);
    return message.fds();
  }

  @Test
  void whatHasNoMeaningThereStaysBehind() throws Exception {
    Path deleted = Files.writeString(directory.resolve("deleted"), "x");
    try (Fd directoryFd = Fd.open(directory, Fd.O_RDONLY);
        Fd device = Fd.open("/dev/null", Fd.O_RDWR, 0);
        Fd gone = Fd.open(deleted, Fd.O_RDONLY);
        UnixSocket.Pair pair = UnixSocket.pair();
        Fd unlisted = Fd.open("/etc/passwd", Fd.O_RDONLY, 0)) {
      Files.delete(deleted);
      for (Fd one : List.of(directoryFd, device, gone, pair.first(), unlisted)) {
        assertThat(pass("alone", List.of(one))).as(one.toString()).isEmpty();
      }
    }
  }

  @Test
  void aNameThatBelongsToAnotherFileByNowIsNotOpened() throws Exception {
    Path file = Files.writeString(directory.resolve("file"), "mine");
    try (Fd open = Fd.open(file, Fd.O_RDONLY)) {
      Files.delete(file);
      Files.writeString(file, "another's");
      assertThat(pass("x", List.of(open))).isEmpty();
    }
  }

  @Test
  void theOthersOfAMessageCrossInTheirOrder() throws Exception {
    Path one = Files.writeString(directory.resolve("one"), "1");
    Path two = Files.writeString(directory.resolve("two"), "2");
    try (Fd first = Fd.open(one, Fd.O_RDONLY);
        Fd device = Fd.open("/dev/null", Fd.O_RDWR, 0);
        Fd second = Fd.open(two, Fd.O_RDONLY);
        Pipe pipe = Pipe.open()) {
      List<Fd> received = pass("mixed", List.of(first, device, pipe.read(), second));
      assertThat(received).hasSize(3);
      assertThat(Sockets.readText(received.get(0), 1)).isEqualTo("1");
      assertThat(FileStatus.of(received.get(1)).isFifo()).isTrue();
      assertThat(Sockets.readText(received.get(2), 1)).isEqualTo("2");
      Fd.closeAll(received);
    }
  }

  @Test
  void aNamedPipeCrossesAsAPipe() throws Exception {
    Path fifo = directory.resolve("fifo");
    Pipe.makeFifo(fifo, 0600);
    try (Fd read = Fd.open(fifo, Fd.O_RDONLY | Fd.O_NONBLOCK);
        Fd write = Fd.open(fifo, Fd.O_WRONLY)) {
      try (Fd both = Fd.open(fifo, Fd.O_RDWR)) {
        assertThat(pass("both", List.of(both))).isEmpty();
      }
      try (Fd received = pass("x", List.of(read)).get(0)) {
        Sockets.write(write, "through");
        assertThat(Sockets.readText(received, 7)).isEqualTo("through");
        assertThat(Fcntl.statusFlags(received) & Fd.O_ACCMODE).isEqualTo(Fd.O_RDONLY);
      }
    }
  }

  @Test
  void oneByteWithOneDescriptorKeepsItsByte() throws Exception {
    Path file = Files.writeString(directory.resolve("file"), "content");
    try (Fd open = Fd.open(file, Fd.O_RDONLY)) {
      Fd.closeAll(pass("A", List.of(open)));
      Fd.closeAll(pass("B", List.of(open)));
    }
  }

  @Test
  void descriptorsGoBothWays() throws Exception {
    Path file = Files.writeString(directory.resolve("file"), "content");
    try (Fd open = Fd.open(file, Fd.O_RDONLY);
        Pipe pipe = Pipe.open()) {
      Sockets.send(server, "back", List.of(open, pipe.write()));
      Sockets.Message message = Sockets.receive(application);
      assertThat(message.fds()).hasSize(2);
      Sockets.write(message.fds().get(1), "back");
      assertThat(Sockets.readText(pipe.read(), 4)).isEqualTo("back");
      Fd.closeAll(message.fds());
    }
  }

  @Test
  void aPassedPipeOutlivesItsSession() throws Exception {
    try (Pipe pipe = Pipe.open();
        Fd received = pass("x", List.of(pipe.read())).get(0)) {
      Sockets.write(pipe.write(), "first");
      assertThat(Sockets.readText(received, 5)).isEqualTo("first");
      application.close();
      assertThat(Sockets.readAll(server)).isEmpty();
      server.close();
      Sockets.write(pipe.write(), "second");
      assertThat(Sockets.readText(received, 6)).isEqualTo("second");
    }
  }
}
