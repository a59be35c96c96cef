package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.LinuxSocket;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.ChildProcess;
import qtfs.linux.Fd;
import qtfs.linux.Poll;
import qtfs.linux.Spawn;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;
import qtfs.udsproxy.connector.ConnectRequest;

/** Sockets that the service manager has opened; the manager is the test. */
final class ActivationTest {
  private static final int SIGTERM = 15;
  private static final int SIGKILL = 9;

  @TempDir Path directory;
  private ServedHost host;
  private UnixListener target;
  private Path requestsPath;
  private Fd requests;
  private Fd link;

  @BeforeEach
  void open() throws Exception {
    Epoll.ensureAvailability();
    host = new ServedHost(directory);
    target = host.listen();
    requestsPath = Files.createDirectory(host.run()).resolve("remote_uds.sock");
    requests =
        listening(LinuxSocket.newSocketDomain(), new DomainSocketAddress(requestsPath.toString()));
    // For both families, as systemd's are; its clients come from IPv4 all the same.
    link =
        listening(
            LinuxSocket.newSocketStream(),
            new InetSocketAddress(InetAddress.getLoopbackAddress(), host.port()));
  }

  private static Fd listening(LinuxSocket socket, SocketAddress address) throws IOException {
    socket.bind(address);
    socket.listen(64);
    return Fd.own(socket.intValue());
  }

  @AfterEach
  void close() {
    link.close();
    requests.close();
    target.close();
    host.close();
  }

  /** The program with sockets at 3 and on, started by a shell that knows its own number. */
  private final class Activated implements AutoCloseable {
    private static final String SHELL = "LISTEN_PID=$$; export LISTEN_PID; exec \"$@\"";

    private final Path log;
    private final ChildProcess process;
    private boolean reaped;

    Activated(String names, Fd... sockets) throws IOException {
      log = Files.createTempFile(directory, "said", "");
      List<String> command = new ArrayList<>(List.of("sh", "-c", SHELL, "-"));
      command.addAll(DaemonProcess.command(host.arguments()));
      List<String> environment = List.of("LISTEN_FDS=" + sockets.length, "LISTEN_FDNAMES=" + names);
      try (Fd none = Fd.open(Path.of("/dev/null"), Fd.O_RDONLY);
          Fd out = Fd.open(log, Fd.O_WRONLY | Fd.O_APPEND)) {
        SortedMap<Integer, Fd> descriptors = new TreeMap<>();
        descriptors.put(0, none);
        descriptors.put(1, out);
        descriptors.put(2, out);
        for (int i = 0; i < sockets.length; i++) {
          descriptors.put(3 + i, sockets[i]);
        }
        Spawn.Held held =
            new Spawn("/bin/sh", command, environment, descriptors)
                .startHeld(directory.resolve("gate"));
        process = held.child();
        assertThat(held.release()).isEmpty();
      }
    }

    String said() throws IOException {
      return Files.readString(log);
    }

    void terminate() throws IOException {
      process.signal(SIGTERM);
    }

    int exitCode() throws IOException {
      assertThat(Poll.readable(Duration.ofSeconds(30), process.pidfd())[0]).isNotZero();
      reaped = true;
      return process.reap().shellCode();
    }

    @Override
    public void close() throws IOException {
      if (!reaped) {
        process.signal(SIGKILL);
        process.reap();
      }
      process.close();
    }
  }

  /** A connector's question, which nobody may be there yet to answer. */
  private Fd ask() throws IOException {
    Fd connector = UnixSocket.connect(requestsPath.toString());
    Sockets.write(
        connector, new ConnectRequest(UnixSocket.Type.STREAM, target.path().toString()).encode());
    return connector;
  }

  private void assertAnswered(Fd connector) throws Exception {
    assertThat(Poll.readable(Duration.ofSeconds(30), connector)[0]).isNotZero();
    assertThat(Sockets.read(connector, 4)).isEqualTo(new byte[] {1, 0, 0, 0});
    try (Fd client = UnixSocket.connect(target.path() + ".proxy");
        Fd server = ProxyPair.accept(target)) {
      ServedHost.assertCarries(client, server);
    }
  }

  @Test
  void whoAsksWhileItIsStartedAgainIsAnswered() throws Exception {
    for (int i = 0; i < 2; i++) {
      try (Fd early = ask();
          Activated daemon = new Activated("link:requests", link, requests)) {
        assertAnswered(early);
        Path standIn = Path.of(target.path() + ".proxy");
        Await.until("the other proxy may use the name", () -> Files.notExists(standIn));
        try (Fd client = host.connectFromPeer(target);
            Fd server = ProxyPair.accept(target)) {
          ServedHost.assertCarries(client, server);
        }
        Await.until("this proxy may use the name again", () -> Files.notExists(standIn));
        assertThat(daemon.said())
            .contains("ask at the inherited socket " + requestsPath)
            .contains("connects to the inherited socket at 127.0.0.1:" + host.port());
        daemon.terminate();
        assertThat(daemon.exitCode()).isZero();
        assertThat(host.left()).containsExactlyInAnyOrder("remote_uds.sock", "uds.lock");
      }
    }
  }

  @Test
  void oneOfThemIsEnough() throws Exception {
    link.close();
    try (Fd early = ask();
        Activated _ = new Activated("requests", requests)) {
      assertAnswered(early);
    }
  }

  @Test
  void aSocketThatIsNotWhatItsNameSaysIsTold() throws Exception {
    try (Activated daemon = new Activated("requests", link)) {
      assertThat(daemon.exitCode()).isEqualTo(255);
      assertThat(daemon.said())
          .hasLineCount(1)
          .startsWith(
              "udsproxyd: the inherited socket \"requests\" (fd 3) is a listening IPv6 STREAM")
          .contains("must be a listening unix STREAM socket");
    }
    try (Activated daemon = new Activated("udsproxyd.socket", requests)) {
      assertThat(daemon.exitCode()).isEqualTo(255);
      assertThat(daemon.said())
          .hasLineCount(1)
          .contains("\"udsproxyd.socket\" has no use here")
          .contains("to requests or link");
    }
  }
}
