package qtfs.qtcfg;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import qtfs.linux.Errno;
import qtfs.linux.LinuxException;
import qtfs.linux.Poll;
import qtfs.linux.Pty;
import qtfs.linux.Terminal;

/** The words of qtinfo, in front of a simulated client that has worked. */
final class QtinfoCommandsTest {
  /** Of {@code info} in simkernel.c's state: loaded, counts, lists, log level, epoll. */
  private static final long INFO = 4 + 4 * 14 + 14 * 64 * 4096 + 4 + 4;

  @TempDir private Path directory;
  private SimulatedKernel kernel = new SimulatedKernel(Path.of(""));

  @BeforeEach
  void load() throws IOException {
    kernel = new SimulatedKernel(directory).load(Role.CLIENT);
    assertThat(kernel.qtinfo("stats").code()).isZero();
    write(recorded("client-allinfo-fsops.bin"));
  }

  private static byte[] recorded(String name) throws IOException {
    try (InputStream in = requireNonNull(QtinfoCommandsTest.class.getResourceAsStream(name))) {
      return in.readAllBytes();
    }
  }

  private void write(byte[] info) throws IOException {
    try (FileChannel state =
        FileChannel.open(kernel.state(Role.CLIENT), StandardOpenOption.WRITE)) {
      state.write(ByteBuffer.wrap(info), INFO);
    }
  }

  @Test
  void stats() {
    assertThat(kernel.qtinfo("stats").out())
        .startsWith("role client, log level ERROR\nconnections 1 active, epoll 0 added 0 deleted\n")
        .contains(
            "\nlookup      15            15            0             0             0\n",
            "\nopen        3             3             0             0             0\n")
        .doesNotContain("\nread ");
    assertThat(kernel.qtinfo("stats", "--json").out())
        .startsWith("{\"role\":\"client\",\"device\":\"/dev/qtfs_client\",\"logLevel\":\"ERROR\",")
        .contains("\"activeConnections\":1,", "\"sent\":{\"null\":0,\"mount\":1,\"open\":3,");
  }

  @Test
  void theLettersPrintTheSameCounters() throws IOException {
    QtInfo info = QtInfo.decode(Role.CLIENT, recorded("client-allinfo-fsops.bin"));
    assertThat(kernel.qtinfo("-a").out()).isEqualTo(InfoText.all(info));
    assertThat(kernel.qtinfo("-c").out()).isEmpty();
    assertThat(kernel.qtinfo("-a").out()).contains("Send events total: 0\n");
  }

  @Test
  void connectionsAndSizes() {
    assertThat(kernel.qtinfo("conns").out())
        .startsWith("1           ACTIVE        -\n2           UNKNOWN       -\n")
        .endsWith("epoll ACTIVE\nusable 1, in use 0\n");
    assertThat(kernel.qtinfo("conns", "--json").out())
        .contains("{\"number\":1,\"state\":\"ACTIVE\",\"holder\":\"\"}", "\"usable\":1");
    assertThat(kernel.qtinfo("sizes").out()).contains("\nopen        4112          8\n");
    assertThat(kernel.qtinfo("sizes", "--json").out()).contains("\"request\":{\"null\":24,");
  }

  @Test
  void levelsCountersAndEpoll() {
    assertThat(kernel.qtinfo("loglevel").out()).isEqualTo("logLevel ERROR\n");
    assertThat(kernel.qtinfo("loglevel", "debug", "--dry-run").out())
        .isEqualTo("logLevel DEBUG; nothing was changed: --dry-run\n");
    assertThat(kernel.qtinfo("loglevel", "warn").out()).isEqualTo("logLevel WARN\n");
    assertThat(kernel.qtinfo("loglevel", "--json").out()).contains("\"logLevel\":\"WARN\"");
    assertThat(kernel.qtinfo("epoll", "any").out()).isEqualTo("epoll any\n");
    assertThat(kernel.qtinfo("clear", "--dry-run").code()).isZero();
    assertThat(kernel.qtinfo("stats").out()).contains("lookup");
    assertThat(kernel.qtinfo("clear").out()).isEqualTo("counters 0\n");
    assertThat(kernel.qtinfo("stats").out()).doesNotContain("lookup");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      value = {
        "loglevel loud ~ 64 ~ 'LOUD' is no level: take one of NONE, ERROR, WARN, INFO, DEBUG",
        "epoll some ~ 64 ~ 'some': take any or fifo",
        "top --interval 0 ~ 64 ~ --interval '0': seconds from 0.1 to 99999",
        "top --count x ~ 64 ~ --count 'x': a number from 1 to 999999999",
        "proxy ~ 69 ~ connect ",
      })
  void tellsInOneLineWhatIsWrong(String line, int code, String message) {
    SimulatedKernel.Result result = kernel.qtinfo(line.split(" "));
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).startsWith("qtinfo: " + message);
    assertThat(result.err().lines()).hasSize(1);
    assertThat(result.code()).isEqualTo(code);
  }

  @Test
  void theServerHasNoEpollSetting() {
    kernel.unload(Role.CLIENT);
    kernel.load(Role.SERVER);
    assertThat(kernel.qtinfo("epoll", "any").err())
        .isEqualTo("qtinfo: /dev/qtfs_server has no such setting: it is the client's\n");
  }

  @Test
  void topTellsRates() throws Exception {
    write(new byte[1496]);
    ProcessBuilder builder =
        kernel.builder(Qtinfo.class, List.of("top", "--interval", "0.5", "--count", "40"));
    Process top = builder.start();
    try (InputStream in = top.getInputStream()) {
      StringBuilder out = new StringBuilder();
      while (out.indexOf("\n") < 0) {
        out.append((char) in.read());
      }
      assertThat(out.toString())
          .isEqualTo("active 0, in use 0, sent 0.0/s, received 0.0/s, errors so far 0\n");
      write(recorded("client-allinfo-fsops.bin"));
      while (!out.toString().contains("getattr")) {
        int next = in.read();
        assertThat(next).as(out.toString()).isNotNegative();
        out.append((char) next);
      }
      assertThat(out.toString().lines().toList().getLast()).startsWith("active 1, in use 0, sent ");
    } finally {
      top.destroyForcibly();
      SimulatedKernel.finish(top);
    }
  }

  /** The numbers aside, which are of the moment. */
  @ParameterizedTest
  @ValueSource(strings = {"README.md", "README.zh-CN.md"})
  void topLooksAsInTheReadme(String document) throws Exception {
    write(new byte[1496]);
    String readme = Files.readString(Path.of("..").resolve(document));
    int start = readme.indexOf("$ qtinfo top\n") + "$ qtinfo top\n".length();
    String shown = readme.substring(start, readme.indexOf("```", start));
    try (Pty terminal = Pty.open(new Terminal.Size(24, 80))) {
      Process top =
          kernel
              .builder(Qtinfo.class, List.of("top", "--interval", "0.5", "--count", "60"))
              .redirectOutput(new File(terminal.path()))
              .start();
      try (Arena arena = Arena.ofConfined()) {
        StringBuilder seen = new StringBuilder();
        while (!seen.toString().matches("(?s).*active 0.*\u001b\\[J.*")) {
          seen.append(more(terminal, arena));
        }
        write(recorded("client-allinfo-fsops.bin"));
        while (!seen.toString().matches("(?s).*getattr.*\u001b\\[J.*")) {
          seen.append(more(terminal, arena));
        }
        assertThat(withoutNumbers(screenOf(seen.toString(), "getattr")))
            .isEqualTo(withoutNumbers(shown));
      } finally {
        top.destroyForcibly();
        SimulatedKernel.finish(top);
      }
    }
  }

  /** What the terminal shows next. */
  private static String more(Pty terminal, Arena arena) throws LinuxException {
    MemorySegment buffer = arena.allocate(4096);
    while (true) {
      long count = terminal.master().read(buffer, buffer.byteSize());
      if (count >= 0) {
        byte[] bytes = buffer.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE);
        return new String(bytes, ISO_8859_1);
      }
      assertThat(count).isEqualTo(-Errno.EAGAIN);
      assertThat(Poll.readable(Duration.ofSeconds(60), terminal.master())[0]).isNotZero();
    }
  }

  private static String screenOf(String seen, String word) {
    for (String screen : seen.split("\u001b\\[H")) {
      if (screen.contains(word)) {
        return screen.replaceAll("\u001b\\[[JK]|\r", "");
      }
    }
    throw new AssertionError(seen);
  }

  /** A reading may fall between two counters, never between two lines of one look. */
  private static String withoutNumbers(String screen) {
    return screen.replaceAll("(?<!\\S)[0-9]+\\.[0-9]+ *", "#");
  }

  @Test
  void topIsDrawnInOnePlaceOnATerminal() throws Exception {
    write(recorded("client-allinfo-fsops.bin"));
    try (Pty terminal = Pty.open(new Terminal.Size(24, 80))) {
      Process top =
          kernel
              .builder(Qtinfo.class, List.of("top", "--interval", "0.1", "--count", "3"))
              .redirectOutput(new File(terminal.path()))
              .start();
      String seen = untilHungUp(terminal);
      SimulatedKernel.finish(top);
      assertThat(top.exitValue()).as(seen).isZero();
      assertThat(seen).startsWith("\u001b[2J\u001b[H/dev/qtfs_client").endsWith("\u001b[J");
      assertThat(seen.split("\u001b\\[H", -1)).as("three looks").hasSize(4);
      assertThat(seen.lines().filter(line -> line.startsWith("active 1"))).hasSize(3);
    }
  }

  /** What has been drawn when nobody has the terminal open any more. */
  private static String untilHungUp(Pty terminal) throws LinuxException {
    StringBuilder seen = new StringBuilder();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(4096);
      while (true) {
        long count = terminal.master().read(buffer, buffer.byteSize());
        if (count == -Errno.EAGAIN) {
          assertThat(Poll.readable(Duration.ofSeconds(60), terminal.master())[0]).isNotZero();
        } else if (count < 0) {
          assertThat(count).isEqualTo(-Errno.EIO);
          return seen.toString();
        } else {
          byte[] bytes = buffer.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE);
          seen.append(new String(bytes, ISO_8859_1));
        }
      }
    }
  }

  @Test
  void topEndsAfterItsCount() {
    SimulatedKernel.Result result =
        kernel.qtinfo("top", "--interval", "0.1", "--count", "2", "--json");
    assertThat(result.out().lines())
        .hasSize(2)
        .allMatch(
            line -> line.startsWith("{\"role\":\"client\"") && line.endsWith("\"rates\":{}}"));
    assertThat(result.code()).isZero();
  }

  @Test
  void theProxyIsAsked() throws Exception {
    String text = "+---+\n+ Thread nums:1\n+\tLog level:NONE\n+---+\n\n";
    Path socket = directory.resolve("uds_proxy_diag.sock");
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(socket));
      Thread answers = new Thread(() -> answer(server, text));
      answers.start();
      assertThat(kernel.qtinfo("-u").out()).isEqualTo(text);
      assertThat(kernel.qtinfo("proxy").out()).isEqualTo(text);
      assertThat(kernel.qtinfo("proxy", "--json").out())
          .contains("\"lines\":[\"Thread nums:1\",\"Log level:NONE\"]");
    }
  }

  private static void answer(ServerSocketChannel server, String text) {
    try {
      while (true) {
        try (SocketChannel connection = server.accept()) {
          connection.write(ByteBuffer.wrap(text.getBytes(ISO_8859_1)));
        }
      }
    } catch (IOException _) {
      // closed: the test is over
    }
  }
}
