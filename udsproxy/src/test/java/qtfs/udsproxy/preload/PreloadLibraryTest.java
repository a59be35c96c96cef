package qtfs.udsproxy.preload;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.newsclub.net.unix.AFUNIXServerSocketChannel;
import org.newsclub.net.unix.AFUNIXSocketAddress;
import qtfs.linux.Errno;
import qtfs.udsproxy.connector.ConnectRequest;

/**
 * An application under the preload library is led to the other host where it should be, and sees
 * what it would see without it everywhere else.
 */
final class PreloadLibraryTest {
  private static final int STREAM = 1;
  private static final int DGRAM = 2;
  private static final int SEQPACKET = 5;

  /** Connected, with the errno from before and no descriptor more. */
  private static final String CONNECTED = "connected 77 +0";

  private static final String ENOENT = "failed 2 +0";
  private static final String ENOTDIR = "failed 20 +0";
  private static final String EPROTOTYPE = "failed 91 +0";
  private static final String ECONNREFUSED = "failed 111 +0";

  private static final byte[] MARK = {'Q', 'T', 'F', 'C', 1, 0, 0, 0};

  @TempDir private static Path programs;
  private static Application application = new Application(Path.of("/"), Path.of("/"));

  @TempDir private Path dir;
  private Path target = Path.of("/");

  @BeforeAll
  static void compile() throws Exception {
    application = Application.compile(programs);
  }

  @BeforeEach
  void setUp() {
    target = dir.resolve("x.sock");
  }

  private List<String> run(String... arguments) throws IOException, InterruptedException {
    return application.run(dir, arguments);
  }

  private Path proxy() {
    return Path.of(target + ".proxy");
  }

  /** The file of a socket that nobody listens on; moved, as junixsocket removes what it bound. */
  private void leaveDeadSocket() throws IOException {
    try (AFUNIXServerSocketChannel dying = AFUNIXServerSocketChannel.open()) {
      dying.bind(AFUNIXSocketAddress.of(dir.resolve("dying.sock")), 1);
      Files.move(dir.resolve("dying.sock"), target);
    }
  }

  private static void assertRequest(byte[] request, int type, String path) {
    byte[] expected = new byte[ConnectRequest.LENGTH];
    expected[0] = (byte) type;
    byte[] name = path.getBytes(UTF_8);
    System.arraycopy(name, 0, expected, 4, name.length);
    if (name.length < 100) {
      System.arraycopy(MARK, 0, expected, 104, MARK.length);
    }
    assertThat(request).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "-b", "-z", "-s"})
  void reachesAServerThatIsNotHere(String option) throws Exception {
    String[] arguments =
        option.isEmpty()
            ? new String[] {target.toString()}
            : new String[] {option, target.toString()};
    try (PlayedDaemon daemon = PlayedDaemon.answering(dir, PlayedDaemon.READY);
        Echo _ = Echo.at(proxy())) {
      assertThat(run(arguments)).containsExactly(CONNECTED, "ping");
      assertThat(daemon.requests()).hasSize(1);
      assertRequest(daemon.requests().getFirst(), STREAM, target.toString());
    }
  }

  @Test
  void reachesAServerWhoseSocketHereIsDead() throws Exception {
    leaveDeadSocket();
    try (PlayedDaemon _ = PlayedDaemon.answering(dir, PlayedDaemon.READY);
        Echo _ = Echo.at(proxy())) {
      assertThat(run(target.toString())).containsExactly(CONNECTED, "ping");
    }
  }

  @ParameterizedTest
  @CsvSource({SEQPACKET + ", ping", DGRAM + ", "})
  void connectsOtherTypes(int type, String echo) throws Exception {
    String option = Integer.toString(type);
    Process server = application.start(dir, "-l", "-t", option, proxy().toString());
    try (BufferedReader lines = server.inputReader();
        PlayedDaemon daemon = PlayedDaemon.answering(dir, PlayedDaemon.READY)) {
      assertThat(lines.readLine()).isEqualTo("listening");
      List<String> output = run("-t", option, target.toString());
      assertThat(output.getFirst()).isEqualTo(CONNECTED);
      if (type == DGRAM) {
        assertThat(lines.readLine()).isEqualTo("ping");
      } else {
        assertThat(output.get(1)).isEqualTo(echo);
      }
      assertRequest(daemon.requests().getFirst(), type, target.toString());
    } finally {
      server.destroyForcibly();
    }
  }

  @Test
  void asksForARelativePathAsAnAbsoluteOne() throws Exception {
    try (PlayedDaemon daemon = PlayedDaemon.answering(dir, PlayedDaemon.READY);
        Echo _ = Echo.at(proxy())) {
      assertThat(run("-d", dir.toString(), "x.sock")).containsExactly(CONNECTED, "ping");
      assertThat(run("-d", dir.toString(), "././x.sock")).containsExactly(CONNECTED, "ping");
      assertThat(daemon.requests()).hasSize(2);
      for (byte[] request : daemon.requests()) {
        assertRequest(request, STREAM, dir.toRealPath().resolve("x.sock").toString());
      }
    }
  }

  @Test
  void leavesAServerOfThisHostAlone() throws Exception {
    try (PlayedDaemon daemon = PlayedDaemon.answering(dir, PlayedDaemon.READY);
        Echo _ = Echo.at(target)) {
      assertThat(run(target.toString())).containsExactly(CONNECTED, "ping");
      assertThat(daemon.requests()).isEmpty();
    }
  }

  @Test
  void keepsTheErrorWithoutADaemon() throws Exception {
    assertThat(run(target.toString())).containsExactly(ENOENT);
    leaveDeadSocket();
    assertThat(run(target.toString())).containsExactly(ECONNREFUSED);
    assertThat(application.run(Path.of("/" + "d".repeat(200)), target.toString()))
        .containsExactly(ECONNREFUSED);
  }

  @ParameterizedTest
  @ValueSource(ints = {Errno.ECONNREFUSED, Errno.ENOENT, Errno.EACCES, 4095})
  void givesTheErrnoOfTheOtherHost(int errno) throws Exception {
    byte[] answer = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(-errno).array();
    try (PlayedDaemon _ = PlayedDaemon.answering(dir, answer);
        Echo _ = Echo.at(proxy())) {
      assertThat(run(target.toString())).containsExactly("failed " + errno + " +0");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"0 0 0 0", "2 0 0 0", "0 -16 -1 -1", "1 0 0 1", "1 0", ""})
  void keepsTheErrorAndTheSocketWhenRefused(String answer) throws Exception {
    byte[] bytes = new byte[answer.isEmpty() ? 0 : answer.split(" ").length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = Byte.parseByte(answer.split(" ")[i]);
    }
    Path other = dir.resolve("other.sock");
    try (PlayedDaemon daemon = PlayedDaemon.answering(dir, bytes);
        Echo _ = Echo.at(proxy());
        Echo _ = Echo.at(other)) {
      assertThat(run(target.toString(), other.toString()))
          .containsExactly(ENOENT, CONNECTED, "ping");
      leaveDeadSocket();
      assertThat(run(target.toString(), other.toString()))
          .containsExactly(ECONNREFUSED, CONNECTED, "ping");
      assertThat(daemon.requests()).hasSize(2);
    }
  }

  @Test
  void survivesADaemonThatHangsUp() throws Exception {
    String[] often = new String[100];
    Arrays.fill(often, target.toString());
    try (PlayedDaemon _ = PlayedDaemon.hangingUp(dir)) {
      assertThat(run(often)).isEqualTo(Collections.nCopies(often.length, ENOENT));
    }
  }

  @Test
  void givesUpOnASilentDaemonAfterTenSeconds() throws Exception {
    try (PlayedDaemon _ = PlayedDaemon.silent(dir)) {
      List<Process> waiting = new ArrayList<>();
      List<Future<Duration>> durations = new ArrayList<>();
      for (int i = 0; i < 4; i++) { // more than its backlog takes
        long start = System.nanoTime();
        Process process = application.start(dir, "-s", target.toString());
        waiting.add(process);
        durations.add(process.onExit().thenApply(_ -> Duration.ofNanos(System.nanoTime() - start)));
      }
      for (int i = 0; i < waiting.size(); i++) {
        assertThat(Application.output(waiting.get(i))).containsExactly(ENOENT);
        assertThat(durations.get(i).get(10, TimeUnit.SECONDS))
            .isBetween(Duration.ofSeconds(10), Duration.ofSeconds(20));
      }
    }
  }

  @Test
  void tellsWhatBecameOfTheStandIn() throws Exception {
    leaveDeadSocket();
    try (PlayedDaemon _ = PlayedDaemon.answering(dir, PlayedDaemon.READY)) {
      assertThat(run(target.toString())).containsExactly(ENOENT);
    }
  }

  @Test
  void doesNotAskForWhatIsNotItsBusiness() throws Exception {
    Files.writeString(dir.resolve("plain"), "");
    int refusing;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      refusing = socket.getLocalPort();
    }
    try (PlayedDaemon daemon = PlayedDaemon.answering(dir, PlayedDaemon.READY);
        Echo _ = Echo.at(dir.resolve("stream.sock"))) {
      assertThat(run("inet:" + refusing)).containsExactly(ECONNREFUSED);
      assertThat(run("@" + target)).containsExactly(ECONNREFUSED);
      assertThat(run(dir + "/plain/x.sock")).containsExactly(ENOTDIR);
      assertThat(run("-t", Integer.toString(DGRAM), dir + "/stream.sock"))
          .containsExactly(EPROTOTYPE);
      assertThat(run("-c", "udsproxyd", target.toString())).containsExactly(ENOENT);
      assertThat(run(nameOf(102))).containsExactly(ENOENT);
      assertThat(run("-z", nameOf(108))).containsExactly(ENOENT);
      assertThat(run("-d", dir.toString(), "n".repeat(101))).containsExactly(ENOENT);
      assertThat(daemon.requests()).isEmpty();
      assertThat(run(nameOf(101))).containsExactly(ENOENT);
      assertRequest(daemon.requests().getFirst(), STREAM, nameOf(101));
    }
  }

  /** A path in the directory with so many bytes. */
  private String nameOf(int length) {
    return dir + "/" + "n".repeat(length - dir.toString().length() - 1);
  }

  @Test
  void servesThirtyTwoThreadsAtOnce() throws Exception {
    try (PlayedDaemon daemon = PlayedDaemon.answering(dir, PlayedDaemon.READY);
        Echo _ = Echo.at(proxy())) {
      assertThat(run("-n", "32", target.toString())).containsExactly("32 echoed");
      assertThat(daemon.requests()).hasSize(32);
    }
  }
}
