package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.Memfd;
import qtfs.linux.Pipe;
import qtfs.linux.Poll;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;
import qtfs.testing.Ports;
import qtfs.udsproxy.connector.ConnectRequest;

/**
 * A daemon that may open so many descriptors more, for each number from none to more than a connect
 * takes: so each of its system calls that makes one is the first to fail once. It goes on when
 * there are some again, and has none too many then.
 */
final class NoDescriptorAtAnyPointTest {
  private static final int MOST = 10;
  private static final Duration MOMENT = Duration.ofMillis(300);

  @TempDir Path directory;
  private final List<DaemonProcess> daemons = new ArrayList<>();
  private UnixListener listener;

  @BeforeEach
  void start() throws Exception {
    boolean there = Files.isExecutable(Path.of("/usr/bin/prlimit"));
    if (!there) {
      System.err.println("SKIPPED: prlimit is missing: apt-get install util-linux");
    }
    Assumptions.assumeTrue(there, "prlimit is missing: apt-get install util-linux");
    int a = Ports.free();
    int b = Ports.free();
    Files.writeString(directory.resolve("whitelist"), ProxyPair.allowing(directory));
    daemons.add(startDaemon("a", a, b));
    daemons.add(startDaemon("b", b, a));
    listener = UnixListener.bind(directory.resolve("t.sock"), 64);
  }

  private DaemonProcess startDaemon(String name, int port, int peer) throws Exception {
    return DaemonProcess.start(
            directory,
            List.of(
                "--run-dir=" + directory.resolve(name),
                "--whitelist=" + directory.resolve("whitelist"),
                "1",
                "127.0.0.1",
                Integer.toString(port),
                "127.0.0.1",
                Integer.toString(peer)))
        .ready();
  }

  @AfterEach
  void close() {
    daemons.forEach(DaemonProcess::close);
    if (listener != null) {
      listener.close();
    }
  }

  private static List<String> descriptors(DaemonProcess daemon) throws IOException {
    try (Stream<Path> open = Files.list(Path.of("/proc/" + daemon.pid() + "/fd"))) {
      return open.map(fd -> fd.getFileName().toString()).toList();
    }
  }

  /** The number above so many that are free: new descriptors take the lowest ones. */
  private static int free(List<String> taken, int more) {
    return IntStream.iterate(0, number -> number + 1)
        .filter(number -> !taken.contains(Integer.toString(number)))
        .skip(more)
        .findFirst()
        .orElseThrow();
  }

  private static void limit(DaemonProcess daemon, long files) throws Exception {
    String limit = "--nofile=" + files + ":";
    Process prlimit =
        new ProcessBuilder("prlimit", "--pid=" + daemon.pid(), limit).inheritIO().start();
    assertThat(prlimit.waitFor()).as("prlimit %s", limit).isZero();
  }

  private Fd connect() throws IOException {
    return ProxyPair.connect(
        directory.resolve("a"), UnixSocket.Type.STREAM, directory.resolve("t.sock"));
  }

  @Test
  void itGoesOn() throws Exception {
    try (Fd application = connect();
        Fd server = ProxyPair.accept(listener)) {
      carryAll(application, server);
      Await.until("what was passed has gone", () -> isSteady());
      for (DaemonProcess daemon : daemons) {
        List<String> before = descriptors(daemon);
        for (int more = 0; more < MOST; more++) {
          limit(daemon, free(before, more));
          tryToConnect();
          tryToCarry(application, server);
          limit(daemon, 1024);
          try (Fd other = connect()) {
            carryAll(application, server);
            Sockets.write(other, "and others too");
          }
          acceptAll();
        }
        Await.until(
            "as many descriptors as before: " + before.size(),
            () -> descriptors(daemon).size() <= before.size());
        assertThat(daemon.stderr()).contains("Too many open files").doesNotContain("Exception");
      }
    }
  }

  private boolean isSteady() throws IOException {
    return Scrape.of(directory.resolve("a")).value("qtfs_proxy_pipes_open") == 0
        && Scrape.of(directory.resolve("b")).value("qtfs_proxy_pipes_open") == 0;
  }

  /** Asks for a connection and takes whatever answer there is within a moment, or none. */
  private void tryToConnect() {
    String path = directory.resolve("t.sock").toString();
    try (Fd connector = UnixSocket.connect(directory.resolve("a/remote_uds.sock").toString())) {
      Sockets.write(connector, new ConnectRequest(UnixSocket.Type.STREAM, path).encode());
      if (Poll.readable(MOMENT, connector)[0] != 0 && Sockets.read(connector, 4)[0] == 1) {
        UnixSocket.connect(path + ".proxy").close();
      }
    } catch (IOException | ArrayIndexOutOfBoundsException refused) {
      // As it may be.
    }
  }

  private void acceptAll() {
    for (int accepted; (accepted = listener.accept(true)) >= 0; ) {
      Fd.own(accepted).close();
    }
  }

  /**
   * Passes three kinds: the message arrives, with some of them. A pipe is not among them: one that
   * cannot be fetched ends its session.
   */
  private void tryToCarry(Fd application, Fd server) throws IOException {
    pass(application, false);
    Sockets.Message message = Sockets.receive(server);
    assertThat(message.text()).isEqualTo("some");
    Fd.closeAll(message.fds());
  }

  private void carryAll(Fd application, Fd server) throws IOException {
    pass(application, true);
    Sockets.Message message = Sockets.receive(server);
    assertThat(message.text()).isEqualTo("some");
    assertThat(message.fds()).hasSize(4);
    Fd.closeAll(message.fds());
  }

  private void pass(Fd application, boolean withPipe) throws LinuxException, IOException {
    try (Fd file = Fd.open(directory.resolve("whitelist"), Fd.O_RDONLY);
        Fd memory = Memfd.create("some");
        UnixSocket.Pair pair = UnixSocket.pair();
        Pipe pipe = Pipe.open()) {
      List<Fd> passed = List.of(file, memory, pair.first(), pipe.read());
      Sockets.send(application, "some", passed.subList(0, withPipe ? 4 : 3));
    }
  }
}
