package qtfs.udsproxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;
import qtfs.testing.Ports;

/** The program with {@code --expose}, from its start to its end; its peer is the test. */
final class ExposedAtStartTest {
  private static final List<String> OPEN_UMASK = List.of("sh", "-c", "umask 000; exec \"$@\"", "-");

  @TempDir Path directory;
  private ServerSocket peer;

  @BeforeEach
  void listen() throws IOException {
    peer = new ServerSocket(0, 1024, InetAddress.getLoopbackAddress());
    peer.setSoTimeout(10_000);
  }

  @AfterEach
  void stop() throws IOException {
    peer.close();
  }

  private Path path(String name) {
    return directory.resolve(name);
  }

  private DaemonProcess start(List<String> launcher) throws Exception {
    return DaemonProcess.startBy(
            launcher,
            directory,
            List.of(
                "--run-dir=" + path("run"),
                "--whitelist=" + path("whitelist"),
                "--expose=/run/there.sock=" + path("one.sock"),
                "--expose=" + path("two.sock") + ",mode=0660",
                "1",
                "127.0.0.1",
                Integer.toString(Ports.free()),
                "127.0.0.1",
                Integer.toString(peer.getLocalPort())))
        .ready();
  }

  private void assertServes() throws IOException {
    Recorded hello = Recorded.of("b01-connect-hello-reply", "tcp1.A-B");
    try (Fd client = UnixSocket.connect(path("one.sock").toString());
        Peer.Link link = new Peer.Link(peer.accept())) {
      Recorded request = hello.towards(Path.of("/run/there.sock")).marked();
      assertThat(link.read(Recorded.REQUEST)).isEqualTo(request.slice(0, Recorded.REQUEST));
      link.send(new byte[4]);
      Sockets.write(client, "hello");
      assertThat(link.read(21)).isEqualTo(hello.from(Recorded.REQUEST));
    }
  }

  private int mode(String name) throws IOException {
    return FileStatus.ofLink(path(name)).permissions();
  }

  @Test
  void servesUntilSigtermAndLeavesNothing() throws Exception {
    try (DaemonProcess daemon = start(OPEN_UMASK)) {
      assertThat(mode("one.sock")).isEqualTo(0600);
      assertThat(mode("two.sock")).isEqualTo(0660);
      assertServes();
      assertThat(Ctls.list(path("run"), "exposed")).hasSize(2);
      daemon.terminate();
      assertThat(daemon.exitCode(10)).isZero();
    }
    assertThat(path("one.sock")).doesNotExist();
    assertThat(path("two.sock")).doesNotExist();
    assertThat(path("run/ctl.sock")).doesNotExist();
    assertThat(Ctls.run(path("run"), "status").code()).isEqualTo(Ctl.UNAVAILABLE);
  }

  @Test
  void takesOverWhatAKillHasLeft() throws Exception {
    try (DaemonProcess daemon = start(List.of())) {
      daemon.kill();
    }
    assertThat(path("one.sock")).exists();
    assertThat(Ctls.run(path("run"), "status").code()).isEqualTo(Ctl.UNAVAILABLE);
    try (DaemonProcess _ = start(List.of())) {
      assertServes();
    }
  }

  @Test
  void drainsAndEndsWithTheLastSession() throws Exception {
    try (DaemonProcess daemon = start(List.of())) {
      try (Fd client = UnixSocket.connect(path("one.sock").toString());
          Peer.Link link = new Peer.Link(peer.accept())) {
        Recorded hello = Recorded.of("b01-connect-hello-reply", "tcp1.A-B");
        link.read(Recorded.REQUEST);
        link.send(new byte[4]);
        Sockets.write(client, "hello");
        assertThat(link.read(21)).isEqualTo(hello.from(Recorded.REQUEST));
        assertThat(Ctls.run(path("run"), "drain").output())
            .isEqualTo("takes no new sessions; sessions left: 1\n");
        Await.until("nobody is let in", () -> Files.notExists(path("one.sock")));
        assertThat(Ctls.run(path("run"), "expose", "/x.sock=" + path("x.sock")).errors())
            .contains("the daemon takes no new sessions");
        assertThat(Ctls.run(path("run"), "status").output()).containsPattern("draining +true");
        assertThat(Ctls.list(path("run"), "sessions")).hasSize(1);
        link.send(hello.from(Recorded.REQUEST));
        assertThat(Sockets.readText(client, 5)).isEqualTo("hello");
      }
      assertThat(daemon.exitCode(20)).isZero();
    }
  }

  /** Out of descriptors it waits for some, without a storm of errors, and then serves again. */
  @Test
  void survivesHavingNoDescriptorsLeft() throws Exception {
    try (DaemonProcess daemon = start(DaemonProcess.withDescriptors(100))) {
      List<Fd> clients = new ArrayList<>();
      for (int i = 0; i < 70; i++) {
        clients.add(UnixSocket.connect(path("one.sock").toString()));
      }
      Await.until("it complains", () -> daemon.stderr().contains("Too many open files"));
      long used = daemon.ticks();
      long until = System.nanoTime() + 2_000_000_000L;
      Await.until("two seconds have passed", () -> System.nanoTime() > until);
      assertThat(daemon.ticks() - used).as("ticks of 10 ms in 2 s").isLessThan(100);
      assertThat(daemon.stderr()).doesNotContain("\tat ");
      Fd.closeAll(clients);
      peer.setSoTimeout(500);
      Await.until("it serves again", this::asksForTheSecond);
      assertThat(daemon.stderr()).doesNotContain("NoClassDefFoundError", "has died");
      assertThat(Ctls.run(path("run"), "sessions").errors()).isEmpty();
      daemon.terminate();
      assertThat(daemon.exitCode(10)).isZero();
    }
  }

  /** Whether a client's wish reaches the peer, among those of clients that have left. */
  private boolean asksForTheSecond() throws IOException {
    try (Fd _ = UnixSocket.connect(path("two.sock").toString())) {
      while (true) {
        try (Peer.Link link = new Peer.Link(peer.accept())) {
          if (new String(link.readSome(), UTF_8).contains(path("two.sock").toString())) {
            return true;
          }
        }
      }
    } catch (SocketTimeoutException refusedBecauseOthersWereNotYetGone) {
      return false;
    }
  }
}
