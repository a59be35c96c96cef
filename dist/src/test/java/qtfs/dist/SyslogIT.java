package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/** {@code logger} on A writes to a log socket of B. */
final class SyslogIT {
  private static final int LINES = 20;

  @AutoClose private static TwoHosts hosts;

  @BeforeAll
  static void up() throws Exception {
    Programs.need("logger", "bsdutils");
    Programs.need("socat", "socat");
    hosts = TwoHosts.up();
  }

  /** Starts a log on B; returns the file that it writes. */
  private static Path startLog(String listen, String socket) throws Exception {
    Path log = hosts.shared().resolve(Path.of(socket).getFileName() + ".log");
    List<String> socat =
        List.of("socat", "-u", listen + ":" + socket, "OPEN:" + log + ",creat,append");
    hosts.startServer(Host.B, socat, socket);
    return log;
  }

  @ParameterizedTest
  @EnumSource
  void byAStream(Way way) throws Exception {
    String socket = "/run/stream-" + way + ".sock";
    Path log = startLog("UNIX-LISTEN", socket);
    logLines("--tcp", way, way.open(hosts, socket));
    assertLogged(log);
  }

  /** The way of syslog(3): an own message each. */
  @ParameterizedTest
  @EnumSource
  void byDatagrams(Way way) throws Exception {
    String socket = "/run/datagrams-" + way + ".sock";
    Path log = startLog("UNIX-RECV", socket);
    logLines("--udp", way, way.open(hosts, socket, "dgram"));
    assertLogged(log);
  }

  private static void logLines(String type, Way way, String socket) throws Exception {
    String script = "seq %d | logger %s -u \"$1\" -t qtfs -p local0.info".formatted(LINES, type);
    Running.Result result = way.run(hosts, script, socket);
    assertThat(result.code()).as("%s", result).isZero();
    assertThat(result.stderr()).as("%s", result).isEmpty();
  }

  private static void assertLogged(Path log) throws Exception {
    Pattern last = Pattern.compile("\\b" + LINES + "\\R?$");
    Await.until(
        "the last line", () -> Files.exists(log) && last.matcher(Files.readString(log)).find());
    assertThat(Files.readString(log).split("(?=<134>)"))
        .extracting(line -> line.strip().substring(line.lastIndexOf(' ') + 1))
        .containsExactlyElementsOf(
            IntStream.rangeClosed(1, LINES).mapToObj(String::valueOf).toList());
  }
}
