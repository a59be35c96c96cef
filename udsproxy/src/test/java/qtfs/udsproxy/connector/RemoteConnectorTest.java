package qtfs.udsproxy.connector;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.newsclub.net.unix.AFUNIXServerSocketChannel;
import org.newsclub.net.unix.AFUNIXSocketAddress;
import org.newsclub.net.unix.AFUNIXSocketChannel;
import qtfs.linux.Errno;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.UnixSocket;
import qtfs.udsproxy.connector.RemoteConnectException.Step;

/** The connector against a daemon that is played by the test, byte by byte. */
final class RemoteConnectorTest {
  @TempDir Path dir;
  private Path target = Path.of("/");
  private RemoteConnector connector = RemoteConnector.fromEnvironment();

  @BeforeEach
  void setUp() {
    target = dir.resolve("x.sock");
    connector = new RemoteConnector(dir.toString(), false, Duration.ofSeconds(2));
  }

  private final List<AFUNIXServerSocketChannel> listeners = new ArrayList<>();
  private CompletableFuture<byte[]> request = new CompletableFuture<>();

  @AfterEach
  void tearDown() throws IOException {
    for (AFUNIXServerSocketChannel listener : listeners) {
      listener.close();
    }
  }

  /** A listener that is closed after the test. */
  private AFUNIXServerSocketChannel keepListening(Path path) throws IOException {
    AFUNIXServerSocketChannel listener = listen(path);
    listeners.add(listener);
    return listener;
  }

  /** Runs the other side on a thread of its own. */
  private static <T> CompletableFuture<T> background(Callable<T> action) {
    CompletableFuture<T> result = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              try {
                result.complete(action.call());
              } catch (Exception e) {
                result.completeExceptionally(e);
              }
            });
    return result;
  }

  private static AFUNIXServerSocketChannel listen(Path path) throws IOException {
    AFUNIXServerSocketChannel channel = AFUNIXServerSocketChannel.open();
    channel.bind(AFUNIXSocketAddress.of(path), 8);
    return channel;
  }

  /** The file of a socket that nobody listens on; moved, as junixsocket removes what it bound. */
  private void leaveDeadSocket() throws IOException {
    try (AFUNIXServerSocketChannel _ = listen(dir.resolve("dying.sock"))) {
      Files.move(dir.resolve("dying.sock"), target);
    }
  }

  private static byte[] read(AFUNIXSocketChannel channel, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    while (buffer.hasRemaining() && channel.read(buffer) > 0) {}
    return Arrays.copyOf(buffer.array(), buffer.position());
  }

  /** Plays udsproxyd for one request: answers, and serves the stand-in socket once. */
  private void playDaemon(byte... answer) throws IOException {
    AFUNIXServerSocketChannel requests = keepListening(dir.resolve(RemoteConnector.REQUEST_SOCKET));
    request =
        background(
            () -> {
              try (AFUNIXSocketChannel app = requests.accept();
                  AFUNIXServerSocketChannel proxy = listen(Path.of(target + ".proxy"))) {
                byte[] bytes = read(app, ConnectRequest.LENGTH);
                for (byte b : answer) {
                  app.write(ByteBuffer.wrap(new byte[] {b}));
                }
                if (answer.length == 4 && answer[0] > 0) {
                  try (AFUNIXSocketChannel data = proxy.accept()) {
                    data.write(ByteBuffer.wrap("hello".getBytes(UTF_8)));
                  }
                }
                return bytes;
              }
            });
  }

  private static String readFive(Fd fd) {
    try (var arena = java.lang.foreign.Arena.ofConfined()) {
      var buffer = arena.allocate(5);
      assertThat(fd.read(buffer, 5)).isEqualTo(5);
      return new String(buffer.toArray(java.lang.foreign.ValueLayout.JAVA_BYTE), UTF_8);
    }
  }

  private RemoteConnectException failure() {
    return catchThrowableOfType(
        RemoteConnectException.class, () -> connector.connect(target.toString()));
  }

  @Test
  void connectsToAListenerOnThisHostWithoutAskingAnybody() throws Exception {
    keepListening(target);
    try (Fd fd = connector.connect(target.toString())) {
      assertThat(Fcntl.isCloseOnExec(fd.number())).isTrue();
      assertThat(Fcntl.statusFlags(fd) & Fd.O_NONBLOCK).isZero();
    }
  }

  @Test
  void asksTheDaemonForASocketThatIsNotHere() throws Exception {
    playDaemon((byte) 1, (byte) 0, (byte) 0, (byte) 0);
    try (Fd fd = connector.connect(target.toString())) {
      assertThat(readFive(fd)).isEqualTo("hello");
    }
    byte[] bytes = request.get(10, TimeUnit.SECONDS);
    assertThat(ConnectRequest.decode(bytes).path()).isEqualTo(target.toString());
    int end = 4 + target.toString().length();
    assertThat(Arrays.copyOfRange(bytes, end, 104)).containsOnly(0);
    assertThat(Arrays.copyOfRange(bytes, 104, 112)).containsExactly('Q', 'T', 'F', 'C', 1, 1, 0, 0);
    assertThat(Arrays.copyOf(bytes, 4)).containsExactly(1, 0, 0, 0);
  }

  @Test
  void asksTheDaemonForASocketWhoseListenerIsGone() throws Exception {
    leaveDeadSocket();
    assertThat(target).exists();
    playDaemon((byte) 1, (byte) 0, (byte) 0, (byte) 0);
    try (Fd fd = connector.connect(target.toString())) {
      assertThat(readFive(fd)).isEqualTo("hello");
    }
    assertThat(request.get(10, TimeUnit.SECONDS)).hasSize(112);
  }

  @Test
  void leavesOutThisHostWhenTold() throws Exception {
    connector = new RemoteConnector(dir.toString(), true, Duration.ofSeconds(2));
    try (AFUNIXServerSocketChannel _ = listen(target)) {
      playDaemon((byte) 1, (byte) 0, (byte) 0, (byte) 0);
      try (Fd fd = connector.connect(target.toString())) {
        assertThat(readFive(fd)).isEqualTo("hello");
      }
    }
  }

  @Test
  void keepsTheLocalErrnoWhenNoDaemonRuns() throws Exception {
    RemoteConnectException missing = failure();
    assertThat(missing.step()).isEqualTo(Step.DAEMON);
    assertThat(missing.errno()).isEqualTo(Errno.ENOENT);
    assertThat(missing).hasMessageContaining("start udsproxyd");
    leaveDeadSocket();
    assertThat(failure().errno()).isEqualTo(Errno.ECONNREFUSED);
  }

  @Test
  void doesNotAskForWhatFailsHereInAnotherWay() throws Exception {
    Files.writeString(dir.resolve("plain"), "");
    target = dir.resolve("plain/x.sock");
    RemoteConnectException failure = failure();
    assertThat(failure.step()).isEqualTo(Step.LOCAL);
    assertThat(failure.errno()).isEqualTo(Errno.ENOTDIR);
  }

  @Test
  void tellsARefusal() throws Exception {
    playDaemon((byte) 0, (byte) 0, (byte) 0, (byte) 0);
    RemoteConnectException failure = failure();
    assertThat(failure.step()).isEqualTo(Step.REFUSED);
    assertThat(failure.errno()).isEqualTo(Errno.ECONNREFUSED);
    assertThat(failure).hasMessageContaining(target.toString());
  }

  @Test
  void tellsTheErrnoOfTheOtherHost() throws Exception {
    playDaemon((byte) -Errno.EACCES, (byte) -1, (byte) -1, (byte) -1);
    RemoteConnectException failure = failure();
    assertThat(failure.step()).isEqualTo(Step.REFUSED);
    assertThat(failure.errno()).isEqualTo(Errno.EACCES);
    assertThat(failure).hasMessageContaining(target + ": Permission denied");
  }

  @Test
  void takesNoOtherAnswerForReady() throws Exception {
    playDaemon((byte) 3, (byte) 0, (byte) 0, (byte) 0);
    assertThat(failure().step()).isEqualTo(Step.REFUSED);
  }

  @Test
  void tellsADaemonThatHangsUp() throws Exception {
    playDaemon((byte) 1, (byte) 0);
    RemoteConnectException failure = failure();
    assertThat(failure.step()).isEqualTo(Step.ANSWER);
    assertThat(failure).hasMessageContaining("hung up");
  }

  @Test
  void givesUpOnADaemonThatIsSilent() throws Exception {
    connector = new RemoteConnector(dir.toString(), false, Duration.ofMillis(50));
    keepListening(dir.resolve(RemoteConnector.REQUEST_SOCKET));
    assertThat(failure()).hasMessageContaining("no answer");
  }

  @Test
  void tellsAStandInSocketThatIsNotThere() throws Exception {
    AFUNIXServerSocketChannel requests = keepListening(dir.resolve(RemoteConnector.REQUEST_SOCKET));
    CompletableFuture<Integer> played =
        background(
            () -> {
              try (AFUNIXSocketChannel app = requests.accept()) {
                assertThat(read(app, ConnectRequest.LENGTH)).hasSize(ConnectRequest.LENGTH);
                return app.write(ByteBuffer.wrap(new byte[] {1, 0, 0, 0}));
              }
            });
    assertThat(failure().step()).isEqualTo(Step.PROXY);
    assertThat(played.get(10, TimeUnit.SECONDS)).isEqualTo(4);
  }

  @Test
  void refusesPathsThatNoRequestCanCarry() {
    assertThatThrownBy(() -> connector.connect("/" + "p".repeat(101)))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("102 bytes");
  }

  @Test
  void refusesVirtualThreads() throws Exception {
    CompletableFuture<Throwable> thrown = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(
            () -> {
              try {
                connector.connect("/x").close();
              } catch (IOException | RuntimeException e) {
                thrown.complete(e);
              }
            });
    assertThat(thrown.get(10, TimeUnit.SECONDS)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void connectsChannelsHereAndThere() throws Exception {
    try (AFUNIXServerSocketChannel local = listen(target);
        AFUNIXSocketChannel channel = connector.connectChannel(target)) {
      assertThat(channel.isConnected()).isTrue();
      assertThat(local.isOpen()).isTrue();
    }
    Files.deleteIfExists(target);
    playDaemon((byte) 1, (byte) 0, (byte) 0, (byte) 0);
    try (AFUNIXSocketChannel channel = connector.connectChannel(target)) {
      assertThat(read(channel, 5)).asString(UTF_8).isEqualTo("hello");
    }
    assertThat(request.get(10, TimeUnit.SECONDS)).hasSize(112);
    assertThatThrownBy(() -> connector.connectChannel(dir.resolve("y.sock")))
        .isInstanceOf(IOException.class);
  }

  /** A deployed daemon answers 1; ours 2, where the other host's is ours too. */
  @ParameterizedTest
  @CsvSource({"1, false", "2, true"})
  void tellsWhetherAnyPipeMayBePassed(byte answer, boolean keepsPipes) throws Exception {
    playDaemon(answer, (byte) 0, (byte) 0, (byte) 0);
    RemoteConnector.Connection connection =
        connector.connection(UnixSocket.Type.STREAM, target.toString());
    try (Fd socket = connection.socket()) {
      assertThat(connection.keepsPipes()).isEqualTo(keepsPipes);
      assertThat(readFive(socket)).isEqualTo("hello");
    }
    assertThat(Mark.takesExtended(request.get(5, TimeUnit.SECONDS))).isTrue();
  }

  @Test
  void anyPipeMayBePassedOnThisHost() throws Exception {
    AFUNIXServerSocketChannel _ = keepListening(target);
    RemoteConnector.Connection connection =
        connector.connection(UnixSocket.Type.STREAM, target.toString());
    try (Fd _ = connection.socket()) {
      assertThat(connection.keepsPipes()).isTrue();
    }
  }
}
