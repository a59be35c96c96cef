package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;

/** Messages keep their boundaries on SEQPACKET and DGRAM sockets, in either dialect. */
@ParameterizedClass
@EnumSource(Dialect.class)
final class MessagesTest {
  @TempDir Path directory;
  @Parameter private Dialect dialect = Dialect.V1;
  private ProxyPair proxies;

  @BeforeEach
  void open() throws Exception {
    proxies = ProxyPair.open(directory, dialect);
  }

  @AfterEach
  void close() {
    proxies.close();
  }

  private static String text(int length, int seed) {
    return Character.toString('a' + seed % 26).repeat(length);
  }

  private List<Integer> lengths() {
    return List.of(1, 0, 2, 4087, 4088, 0, 100, dialect.maxPayload(), 3);
  }

  private void assertKept(Fd from, Fd to) throws Exception {
    List<Integer> lengths = lengths();
    for (int i = 0; i < lengths.size(); i++) {
      Sockets.send(from, text(lengths.get(i), i), List.of());
    }
    for (int i = 0; i < lengths.size(); i++) {
      assertThat(Sockets.receive(to).text()).isEqualTo(text(lengths.get(i), i));
    }
  }

  @Test
  void seqpacketBothWays() throws Exception {
    try (UnixListener listener = proxies.listen(UnixSocket.Type.SEQPACKET, "s.sock");
        Fd application = proxies.connect(UnixSocket.Type.SEQPACKET, "s.sock");
        Fd server = ProxyPair.accept(listener)) {
      assertKept(application, server);
      assertKept(server, application);
      UnixSocket.shutdownWrite(application);
      UnixSocket.stampMessages(server);
      assertThat(ProxyPair.readable(server)).isTrue();
      assertThat(Sockets.receive(server).text()).isEmpty();
      Sockets.send(server, "late", List.of());
      assertThat(Sockets.receive(application).text()).isEqualTo("late");
    }
    Await.until("it ends", () -> proxies.a().shared().relays().isEmpty());
    Await.until("there too", () -> proxies.b().shared().relays().isEmpty());
  }

  @Test
  void descriptorsGoWithTheirMessage() throws Exception {
    Path file = Files.writeString(directory.resolve("file"), "content");
    try (UnixListener listener = proxies.listen(UnixSocket.Type.SEQPACKET, "s.sock");
        Fd application = proxies.connect(UnixSocket.Type.SEQPACKET, "s.sock");
        Fd server = ProxyPair.accept(listener);
        Fd fd = Fd.open(file, Fd.O_RDONLY)) {
      Sockets.send(application, "none", List.of());
      Sockets.send(application, "two", List.of(fd, fd));
      Sockets.send(application, "", List.of(fd));
      assertThat(Sockets.receive(server).fds()).isEmpty();
      Sockets.Message two = Sockets.receive(server);
      assertThat(two.text()).isEqualTo("two");
      assertThat(two.fds()).hasSize(2);
      Fd.closeAll(two.fds());
      Sockets.Message empty = Sockets.receive(server);
      assertThat(empty.text()).isEmpty();
      assertThat(empty.fds()).hasSize(1);
      Fd.closeAll(empty.fds());
    }
  }

  @Test
  void aMessageThatIsTooLongEndsItsSession() throws Exception {
    try (UnixListener listener = proxies.listen(UnixSocket.Type.SEQPACKET, "s.sock");
        Fd application = proxies.connect(UnixSocket.Type.SEQPACKET, "s.sock");
        Fd server = ProxyPair.accept(listener)) {
      Sockets.send(application, text(dialect.maxPayload() + 1, 0), List.of());
      assertThat(Sockets.receive(server).text()).isEmpty();
      Await.until("it ends", () -> proxies.a().shared().relays().isEmpty());
    }
  }

  /** As logger(1) does: who has sent is gone before anything of it has been read. */
  @Test
  void oneShotDatagramsAllArrive() throws Exception {
    try (UnixListener log = proxies.listen(UnixSocket.Type.DGRAM, "log")) {
      for (int i = 0; i < 50; i++) {
        try (Fd application = proxies.connect(UnixSocket.Type.DGRAM, "log")) {
          Sockets.send(application, "line " + i, List.of());
        }
        assertThat(Sockets.receive(log.socket()).text()).isEqualTo("line " + i);
      }
      try (Fd application = proxies.connect(UnixSocket.Type.DGRAM, "log")) {
        assertKept(application, log.socket());
      }
      assertThat(proxies.b().shared().relays()).hasSizeLessThan(3);
    }
  }

  @Test
  void answersFindTheirSender() throws Exception {
    try (UnixListener service = proxies.listen(UnixSocket.Type.DGRAM, "d.sock")) {
      List<UnixListener> senders = new ArrayList<>();
      String path = proxies.path("d.sock.proxy").toString();
      for (int i = 0; i < 5; i++) {
        UnixListener sender =
            UnixListener.bind(proxies.path("sender" + i), UnixSocket.Type.DGRAM, 0);
        senders.add(sender);
        if (i < 2) { // the others come without asking
          proxies.connect(UnixSocket.Type.DGRAM, "d.sock").close();
        }
        assertThat(UnixSocket.connect(sender.socket(), path)).isZero();
        Sockets.send(sender.socket(), "from " + i, List.of());
      }
      DatagramEcho.answer(service, senders.size());
      for (int i = 0; i < senders.size(); i++) {
        assertThat(Sockets.receive(senders.get(i).socket()).text()).isEqualTo("to from " + i);
      }
      senders.forEach(UnixListener::close);
    }
  }

  @Test
  void aReceiverThatIsGoneAndBackGetsDatagramsAgain() throws Exception {
    UnixListener first = proxies.listen(UnixSocket.Type.DGRAM, "log");
    try (Fd application = proxies.connect(UnixSocket.Type.DGRAM, "log")) {
      Sockets.send(application, "one", List.of());
      assertThat(Sockets.receive(first.socket()).text()).isEqualTo("one");
      first.close();
      try (UnixListener second = proxies.listen(UnixSocket.Type.DGRAM, "log")) {
        Sockets.send(application, "two", List.of()); // is how it shows
        Sockets.send(application, "three", List.of());
        assertThat(Sockets.receive(second.socket()).text()).isEqualTo("two");
        assertThat(Sockets.receive(second.socket()).text()).isEqualTo("three");
      }
    }
  }

  @Test
  void answersFindTheirSenderAfterTheReceiverHasBeenGone() throws Exception {
    UnixListener first = proxies.listen(UnixSocket.Type.DGRAM, "d.sock");
    try (UnixListener sender = proxies.listen(UnixSocket.Type.DGRAM, "sender")) {
      proxies.connect(UnixSocket.Type.DGRAM, "d.sock").close();
      String path = proxies.path("d.sock.proxy").toString();
      assertThat(UnixSocket.connect(sender.socket(), path)).isZero();
      for (UnixListener service = first; service != null; ) {
        Sockets.send(sender.socket(), "hello", List.of());
        DatagramEcho.answer(service, 1);
        assertThat(Sockets.receive(sender.socket()).text()).isEqualTo("to hello");
        service.close();
        service = service == first ? proxies.listen(UnixSocket.Type.DGRAM, "d.sock") : null;
      }
      assertThat(proxies.b().shared().statistics().sessions()).isEqualTo(1);
    }
  }

  @Test
  void whoeverSendsToNobodyIsTold() throws Exception {
    UnixListener receiver = proxies.listen(UnixSocket.Type.DGRAM, "log");
    try (Fd application = proxies.connect(UnixSocket.Type.DGRAM, "log")) {
      Sockets.send(application, "one", List.of());
      assertThat(Sockets.receive(receiver.socket()).text()).isEqualTo("one");
      receiver.close();
      Sockets.send(application, "lost", List.of());
      Await.until("the session ends", () -> proxies.a().shared().relays().isEmpty());
      Sockets.send(application, "lost too", List.of());
      Await.until("the stand-in goes", () -> !Files.exists(proxies.path("log.proxy")));
      assertThat(UnixSocket.connect(application, proxies.path("log.proxy").toString()))
          .isEqualTo(-Errno.ENOENT);
    }
  }
}
