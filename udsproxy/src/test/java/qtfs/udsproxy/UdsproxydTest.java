package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;
import qtfs.testing.Ports;
import qtfs.udsproxy.connector.ConnectRequest;

/** The program from its start to its end; its peer is the test. */
final class UdsproxydTest {
  private static final List<String> OPEN_UMASK = List.of("sh", "-c", "umask 000; exec \"$@\"", "-");

  @TempDir Path directory;
  private ServerSocket peer;
  private int port;

  @BeforeEach
  void listen() throws IOException {
    peer = new ServerSocket(0, 1024, InetAddress.getLoopbackAddress());
    peer.setSoTimeout(10_000);
    port = Ports.free();
    Files.writeString(directory.resolve("whitelist"), ProxyPair.allowing(directory));
  }

  @AfterEach
  void stop() throws IOException {
    peer.close();
  }

  private DaemonProcess start(List<String> launcher, int threads) throws Exception {
    return DaemonProcess.startBy(
            launcher,
            directory,
            List.of(
                "--run-dir=" + directory.resolve("run"),
                "--whitelist=" + directory.resolve("whitelist"),
                Integer.toString(threads),
                "127.0.0.1",
                Integer.toString(port),
                "127.0.0.1",
                Integer.toString(peer.getLocalPort())))
        .ready();
  }

  /** Asks for a connection; the link to the peer that has agreed to it. */
  private Peer.Link ask() throws IOException {
    byte[] request =
        new ConnectRequest(UnixSocket.Type.STREAM, directory.resolve("t.sock").toString()).encode();
    try (Fd connector = UnixSocket.connect(directory + "/run/remote_uds.sock")) {
      Sockets.write(connector, request);
      Peer.Link link = new Peer.Link(peer.accept());
      link.read(Recorded.REQUEST);
      link.send(new byte[4]);
      assertThat(Sockets.read(connector, 5)).isEqualTo(new byte[] {1, 0, 0, 0});
      return link;
    }
  }

  private Fd application() throws IOException {
    return UnixSocket.connect(directory + "/t.sock.proxy");
  }

  /** Connects as the peer to a socket of the daemon's host. */
  private Peer.Link reach() throws IOException {
    Peer.Link link = new Peer.Link(new Socket(InetAddress.getLoopbackAddress(), port));
    Recorded request =
        Recorded.of("b01-connect-hello-reply", "tcp1.A-B").towards(directory.resolve("t.sock"));
    link.send(request, 0, Recorded.REQUEST);
    return link;
  }

  private static void assertCarries(Fd application, Peer.Link link) throws IOException {
    Recorded hello = Recorded.of("b01-connect-hello-reply", "tcp1.A-B");
    Sockets.write(application, "hello");
    assertThat(link.read(21)).isEqualTo(hello.from(Recorded.REQUEST));
    link.send(hello.from(Recorded.REQUEST));
    assertThat(Sockets.readText(application, 5)).isEqualTo("hello");
  }

  private static String permissions(Path path) throws IOException {
    return Integer.toOctalString(FileStatus.ofLink(path).permissions());
  }

  @Test
  void servesUnderItsNameWithItsModesUntilSigterm() throws Exception {
    try (DaemonProcess daemon = start(OPEN_UMASK, 3);
        Peer.Link link = ask()) {
      assertModes();
      try (Fd application = application();
          UnixListener listener = UnixListener.bind(directory.resolve("t.sock"), 8);
          Peer.Link reached = reach();
          Fd target = ProxyPair.accept(listener)) {
        assertThat(reached.readInt()).isZero();
        assertCarries(application, link);
        assertThat(daemon.comm()).isEqualTo("udsproxyd");
        // Its loops and the thread that has looked for the target: all that connect.
        assertThat(Collections.frequency(daemon.comms(), "udsproxyd")).isGreaterThanOrEqualTo(4);
        long start = System.nanoTime();
        daemon.terminate();
        assertThat(Sockets.readAll(application)).isEmpty();
        assertThat(Sockets.readAll(target)).isEmpty();
        assertThat(daemon.exitCode(5)).isZero();
        assertThat((System.nanoTime() - start) / 1e9).isLessThan(5); // below 2 on an idle machine
      }
      assertThat(left()).containsExactly("uds.lock");
      assertThat(directory.resolve("t.sock.proxy")).doesNotExist();
    }
  }

  private void assertModes() throws IOException {
    Path run = directory.resolve("run");
    assertThat(permissions(run)).isEqualTo("700");
    for (String name : left()) {
      assertThat(permissions(run.resolve(name))).as(name).isEqualTo("600");
    }
    assertThat(left())
        .contains("remote_uds.sock", "uds_proxy_diag.sock", "uds_loglevel.sock", "uds.lock");
    assertThat(permissions(directory.resolve("t.sock.proxy"))).isEqualTo("600");
  }

  /** What is in the run directory. */
  private List<String> left() throws IOException {
    try (Stream<Path> files = Files.list(directory.resolve("run"))) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }

  @Test
  void startsAgainAfterAKill() throws Exception {
    try (DaemonProcess daemon = start(List.of(), 1);
        Peer.Link link = ask();
        Fd application = application();
        UnixListener listener = UnixListener.bind(directory.resolve("t.sock"), 8);
        Peer.Link reached = reach();
        Fd _ = ProxyPair.accept(listener)) {
      assertThat(reached.readInt()).isZero();
      assertCarries(application, link);
      // Closed by the daemon's side first, so that its port is left in TIME_WAIT.
      try (Peer.Link garbage = new Peer.Link(new Socket(InetAddress.getLoopbackAddress(), port))) {
        garbage.send(new byte[8]);
        assertThat(garbage.ended()).isTrue();
      }
      try (Peer.Link _ = ask()) {
        daemon.kill();
      }
      assertThat(Sockets.readAll(application)).isEmpty();
    }
    assertThat(directory.resolve("t.sock.proxy")).exists();
    assertThat(directory.resolve("run/remote_uds.sock")).exists();
    try (DaemonProcess _ = start(List.of(), 1);
        Peer.Link link = ask();
        Fd application = application()) {
      assertCarries(application, link);
    }
  }

  @Test
  void tellsItsStateAndStepsItsLogLevel() throws Exception {
    try (DaemonProcess daemon = start(List.of(), 2)) {
      assertThat(text("uds_proxy_diag.sock").lines())
          .startsWith(
              "+-----------------------------Unix Proxy Diagnostic information"
                  + "-------------------------+",
              "+ Thread nums:2",
              "+\tThread 1 events count:0",
              "+\tThread 2 events count:0",
              "+\tLog level:INFO");
      for (String[] step :
          new String[][] {{"INFO", "NONE"}, {"NONE", "ERROR"}, {"ERROR", "INFO"}}) {
        assertThat(text("uds_loglevel.sock"))
            .isEqualTo(
                "+---------------UDS LOG LEVEL UPDATE--------------+\n"
                    + ("+ Log level is:" + step[0] + " before, now change to :" + step[1] + ".\n")
                    + "+-------------------------------------------------+\n\n");
        assertThat(text("uds_proxy_diag.sock")).contains("+\tLog level:" + step[1] + "\n");
      }
      assertThat(daemon.stderr()).doesNotContain("Exception");
    }
  }

  private String text(String socket) throws IOException {
    try (Fd connection = UnixSocket.connect(directory.resolve("run").resolve(socket).toString())) {
      return Sockets.readAll(connection);
    }
  }

  /** Out of descriptors it waits for some, without a storm of errors, and then serves again. */
  @Test
  void survivesHavingNoDescriptorsLeft() throws Exception {
    try (DaemonProcess daemon = start(DaemonProcess.withDescriptors(100), 1);
        UnixListener listener = UnixListener.bind(directory.resolve("t.sock"), 8)) {
      List<Fd> connectors = new ArrayList<>();
      List<Socket> links = new ArrayList<>();
      for (int i = 0; i < 150; i++) {
        Fd connector = UnixSocket.connect(directory + "/run/remote_uds.sock");
        connectors.add(connector);
        Socket link = new Socket();
        link.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 10_000);
        links.add(link);
      }
      Await.until("it complains", () -> daemon.stderr().contains("Too many open files"));
      long used = daemon.ticks();
      long until = System.nanoTime() + 2_000_000_000L;
      Await.until("two seconds have passed", () -> System.nanoTime() > until);
      assertThat(daemon.ticks() - used).as("ticks of 10 ms in 2 s").isLessThan(60);
      // At most ten a second for the connectors and one for the links, and each its own line.
      assertThat(daemon.stderr().lines().filter(line -> line.contains("Too many")).count())
          .isLessThan(60);
      assertThat(daemon.stderr()).doesNotContain("Exception");
      Fd.closeAll(connectors);
      for (Socket link : links) {
        link.close();
      }
      Await.until("it serves again", this::serves);
      try (Peer.Link reached = reach();
          Fd _ = ProxyPair.accept(listener)) {
        assertThat(reached.readInt()).isZero();
      }
      daemon.terminate();
      assertThat(daemon.exitCode(10)).isZero();
    }
  }

  private boolean serves() throws IOException {
    peer.setSoTimeout(500);
    try (Peer.Link link = ask();
        Fd application = application()) {
      assertCarries(application, link);
      return true;
    } catch (SocketTimeoutException refusedBecauseOthersWereNotYetGone) {
      return false;
    }
  }
}
