package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.ProcessAttributes;
import qtfs.linux.Spawn;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;

/** A socket of A leads to a socket of B, for clients that know nothing of either. */
final class ExposeTest {
  private static final int CLIENTS = 64;

  @TempDir Path directory;
  private ProxyPair proxies;

  @BeforeEach
  void start() throws Exception {
    proxies = new ProxyPair(directory, ProxyPair.DEADLINES, ProxyPair.allowing(directory), 2);
  }

  @AfterEach
  void stopAndLeaveNoSocket() throws IOException {
    proxies.close();
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.toList()) {
        assertThat(FileStatus.ofLink(file).isSocket()).as("%s", file).isFalse();
      }
    }
  }

  private Ctls.Result ctl(String... arguments) {
    return Ctls.run(directory.resolve("a"), arguments);
  }

  private String spec(String peer, String local) {
    return proxies.path(peer) + "=" + proxies.path(local);
  }

  private void expose(String peer, String local) {
    Ctls.Result result = ctl("expose", spec(peer, local));
    assertThat(result.errors()).isEmpty();
    assertThat(result.code()).isZero();
  }

  private Fd client(String local) throws IOException {
    return UnixSocket.connect(proxies.path(local).toString());
  }

  private static void assertCarries(Fd client, Fd server) throws IOException {
    Sockets.write(client, "ping");
    assertThat(Sockets.readText(server, 4)).isEqualTo("ping");
    Sockets.write(server, "pong");
    assertThat(Sockets.readText(client, 4)).isEqualTo("pong");
  }

  @Test
  void clientsLandAtThePeersSocket() throws Exception {
    expose("t.sock", "local.sock");
    try (UnixListener listener = proxies.listen("t.sock");
        Fd client = client("local.sock");
        Fd server = ProxyPair.accept(listener)) {
      assertCarries(client, server);
      SessionInfo session = proxies.a().shared().sessions().getFirst();
      assertThat(session.path()).isEqualTo(proxies.path("t.sock").toString());
      assertThat(Objects.requireNonNull(session.requester()).pid())
          .isEqualTo(ProcessAttributes.pid());
      // Descriptors, and each end by itself, as with any session.
      Path file = Files.writeString(directory.resolve("file"), "content");
      try (Fd open = Fd.open(file, Fd.O_RDONLY)) {
        Sockets.send(client, "take", List.of(open));
      }
      Sockets.Message message = Sockets.receive(server);
      assertThat(message.fds()).hasSize(1);
      assertThat(Sockets.readAll(message.fds().getFirst())).isEqualTo("content");
      Fd.closeAll(message.fds());
      UnixSocket.shutdownWrite(client);
      assertThat(Sockets.readAll(server)).isEmpty();
      Sockets.write(server, "late");
      assertThat(Sockets.readText(client, 4)).isEqualTo("late");
    }
  }

  @Test
  void messagesKeepTheirBoundaries() throws Exception {
    expose("t.sock", "local.sock,type=seqpacket");
    String local = proxies.path("local.sock").toString();
    try (UnixListener listener = proxies.listen(UnixSocket.Type.SEQPACKET, "t.sock");
        Fd client = UnixSocket.connect(UnixSocket.Type.SEQPACKET, local);
        Fd server = ProxyPair.accept(listener)) {
      for (String text : List.of("one", "", "two")) {
        Sockets.send(client, text, List.of());
        Sockets.send(server, text + "!", List.of());
        assertThat(Sockets.receive(server).text()).isEqualTo(text);
        assertThat(Sockets.receive(client).text()).isEqualTo(text + "!");
      }
    }
    assertThat(Ctls.list(directory.resolve("a"), "exposed").getFirst().get("type"))
        .isEqualTo("seqpacket");
  }

  @Test
  void aSocketOfAnotherTypeThereIsRefusedAndTold() throws Exception {
    expose("t.sock", "local.sock");
    try (UnixListener _ = proxies.listen(UnixSocket.Type.SEQPACKET, "t.sock");
        CapturedLog log = new CapturedLog();
        Fd client = client("local.sock")) {
      assertThat(Sockets.readAll(client)).isEmpty();
      Await.until(
          "it is told",
          () ->
              log.audit("session-refused").stream()
                  .anyMatch(line -> line.contains("=outgoing") && line.contains("wrong type")));
    }
  }

  @Test
  void datagramsAndTheirAnswers() throws Exception {
    expose("log", "local.log,type=dgram,mode=0666");
    String local = proxies.path("local.log").toString();
    assertThat(FileStatus.ofLink(Path.of(local)).permissions()).isEqualTo(0666);
    try (Fd early = UnixSocket.connect(UnixSocket.Type.DGRAM, local)) {
      Sockets.send(early, "lost", List.of()); // nobody is there yet
      Await.until("it is refused", () -> proxies.a().shared().statistics().refusals() > 0);
    }
    try (UnixListener log = proxies.listen(UnixSocket.Type.DGRAM, "log");
        UnixListener sender = proxies.listen(UnixSocket.Type.DGRAM, "sender")) {
      for (int i = 0; i < 3; i++) {
        try (Fd application = UnixSocket.connect(UnixSocket.Type.DGRAM, local)) {
          Sockets.send(application, "line " + i, List.of());
        }
        assertThat(Sockets.receive(log.socket()).text()).isEqualTo("line " + i);
      }
      assertThat(UnixSocket.connect(sender.socket(), local)).isZero();
      Sockets.send(sender.socket(), "question", List.of());
      DatagramEcho.answer(log, 1);
      assertThat(Sockets.receive(sender.socket()).text()).isEqualTo("to question");
    }
    assertThat(proxies.path("local.log")).exists();
    assertThat(ctl("unexpose", local).code()).isZero();
    assertThat(proxies.path("local.log")).doesNotExist();
    Await.until("its sessions end", () -> proxies.b().shared().relays().isEmpty());
  }

  @Test
  void eachOfManyClientsAtOnceHasItsOwnServer() throws Exception {
    expose("t.sock", "local.sock");
    List<Fd> clients = new ArrayList<>();
    try (UnixListener listener = proxies.listen("t.sock")) {
      for (int i = 0; i < CLIENTS; i++) {
        Fd client = client("local.sock");
        clients.add(client);
        Sockets.write(client, String.format("%04d", i));
      }
      List<Fd> servers = new ArrayList<>();
      List<String> said = new ArrayList<>();
      for (int i = 0; i < CLIENTS; i++) {
        Fd server = ProxyPair.accept(listener);
        servers.add(server);
        String name = Sockets.readText(server, 4);
        said.add(name);
        Sockets.write(server, name);
      }
      for (int i = 0; i < CLIENTS; i++) {
        assertThat(Sockets.readText(clients.get(i), 4)).isEqualTo(String.format("%04d", i));
      }
      assertThat(said).doesNotHaveDuplicates();
      assertThat(Ctls.list(directory.resolve("a"), "exposed").getFirst().get("clients"))
          .isEqualTo((long) CLIENTS);
      Fd.closeAll(servers);
    } finally {
      Fd.closeAll(clients);
    }
  }

  @Test
  void whatIsSentBeforeThePeerHasConnectedArrives() throws Exception {
    expose("t.sock", "local.sock");
    try (UnixListener listener = proxies.listen("t.sock")) {
      try (Fd client = client("local.sock")) {
        Sockets.write(client, "and gone");
      }
      try (Fd server = ProxyPair.accept(listener)) {
        assertThat(Sockets.readAll(server)).isEqualTo("and gone");
      }
    }
  }

  @Test
  void isAddedAndRemovedWhileOthersAreBusy() throws Exception {
    expose("t.sock", "one.sock");
    try (UnixListener listener = proxies.listen("t.sock");
        Fd busy = client("one.sock");
        Fd server = ProxyPair.accept(listener)) {
      for (int i = 0; i < 20; i++) {
        assertCarries(busy, server);
        expose("t.sock", "two.sock");
        try (Fd client = client("two.sock");
            Fd other = ProxyPair.accept(listener)) {
          assertCarries(client, other);
          assertThat(ctl("unexpose", proxies.path("two.sock").toString()).code()).isZero();
          assertThat(proxies.path("two.sock")).doesNotExist();
          assertCarries(client, other); // what is there stays
          assertThatThrownBy(() -> client("two.sock")).hasMessageContaining("No such file");
        }
      }
      assertCarries(busy, server);
      assertThat(Ctls.list(directory.resolve("a"), "exposed")).hasSize(1);
    }
  }

  @Test
  void aClientThatThePeerRefusesIsClosed() throws Exception {
    expose("missing.sock", "local.sock");
    try (Fd silent = client("local.sock")) {
      assertThat(Sockets.readAll(silent)).isEmpty();
    }
    try (Fd talking = client("local.sock")) {
      Sockets.write(talking, "hello");
      assertThatThrownBy(() -> Sockets.readAll(talking))
          .hasMessage(Errno.message(Errno.ECONNRESET));
    }
    assertThat(proxies.path("local.sock")).exists();
  }

  @Test
  void whatIsInTheWayIsLeftAlone() throws Exception {
    Path local = Files.writeString(proxies.path("local.sock"), "precious");
    assertThat(ctl("expose", spec("t.sock", "local.sock")).errors())
        .contains("local.sock is a regular file, not a socket: move it away");
    assertThat(local).hasContent("precious");
    Files.delete(local);
    try (UnixListener _ = proxies.listen("local.sock");
        Fd _ = client("local.sock")) {
      assertThat(ctl("expose", spec("t.sock", "local.sock")).errors())
          .contains("local.sock is in use by another program");
      client("local.sock").close();
    }
    assertThat(ctl("expose", spec("t.sock", "none/local.sock")).errors())
        .contains("make the directory " + proxies.path("none") + " first");
    expose("t.sock", "local.sock");
    Ctls.Result again = ctl("expose", spec("other.sock", "local.sock"));
    assertThat(again.errors()).contains("local.sock is exposed already");
    assertThat(again.code()).isEqualTo(Ctl.FAILED);
    assertThat(Ctls.list(directory.resolve("a"), "exposed")).hasSize(1);
  }

  @Test
  void whoeverHasReplacedTheSocketKeepsHisOwn() throws Exception {
    expose("t.sock", "local.sock");
    Files.delete(proxies.path("local.sock"));
    assertThat(ctl("exposed").output()).contains("file is gone");
    Files.writeString(proxies.path("local.sock"), "precious");
    assertThat(ctl("unexpose", proxies.path("local.sock").toString()).code()).isZero();
    assertThat(proxies.path("local.sock")).hasContent("precious");
  }

  @Test
  void comesBackWhereItsFileWasRemoved() throws Exception {
    expose("t.sock", "local.sock");
    Files.delete(proxies.path("local.sock"));
    expose("t.sock", "local.sock");
    try (UnixListener listener = proxies.listen("t.sock");
        Fd client = client("local.sock");
        Fd server = ProxyPair.accept(listener)) {
      assertCarries(client, server);
    }
  }

  @ParameterizedTest
  @CsvSource({"0,", "18,", "63,", "0,0660", "18,0666", "63,0777"})
  void hasItsModeWhateverTheUmask(int umask, String mode) throws Exception {
    int before = ProcessAttributes.umask(umask);
    try {
      String option = mode == null ? "" : ",mode=" + mode + ",owner=1,group=2";
      assertThat(ctl("expose", spec("t.sock", "local.sock") + option).errors()).isEmpty();
    } finally {
      ProcessAttributes.umask(before);
    }
    FileStatus status = FileStatus.ofLink(proxies.path("local.sock"));
    assertThat(status.permissions()).isEqualTo(mode == null ? 0600 : Integer.parseInt(mode, 8));
    assertThat(status.uid()).isEqualTo(mode == null ? ProcessAttributes.uid() : 1);
    assertThat(status.gid()).isEqualTo(mode == null ? 0 : 2);
  }

  /** Each would ask the other for ever. */
  @Test
  void twoHostsThatExposeToEachOtherDoNotConnectInCircles() throws Exception {
    expose("b.sock", "a.sock");
    Path b = directory.resolve("b");
    assertThat(Ctls.run(b, "expose", spec("a.sock", "b.sock")).code()).isZero();
    try (Fd client = client("a.sock")) {
      assertThat(Sockets.readAll(client)).isEmpty();
    }
    assertThat(Ctls.list(b, "exposed").getFirst().get("clients")).isEqualTo(0L);
  }

  @Test
  void leavesNoDescriptorBehind() throws Exception {
    expose("t.sock", "warm.sock");
    try (UnixListener listener = proxies.listen("t.sock")) {
      carryOne(listener, "warm.sock");
      int before = Spawn.openNumbers().size();
      for (int i = 0; i < 20; i++) {
        expose("t.sock", "local.sock");
        carryOne(listener, "local.sock");
        ctl("unexpose", proxies.path("local.sock").toString());
        ctl("expose", "/not,good");
      }
      Await.until("as many descriptors", () -> Spawn.openNumbers().size() <= before);
    }
  }

  private void carryOne(UnixListener listener, String local) throws IOException {
    try (Fd client = client(local);
        Fd server = ProxyPair.accept(listener)) {
      assertCarries(client, server);
    }
  }
}
