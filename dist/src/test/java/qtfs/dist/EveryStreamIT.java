package qtfs.dist;

import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import qtfs.dist.TwoHosts.Host;

/**
 * Standard input, output and error each a pipe, a file, /dev/null, a terminal, a socket and closed:
 * 216 calls, all of them made before the first is looked at.
 */
final class EveryStreamIT {
  /** Twenty seconds on a quiet machine, and many starts of a JVM on any. */
  private static final Duration LIMIT = Duration.ofMinutes(10);

  @AutoClose private static TwoHosts hosts;
  private static Map<String, String> verdicts = Map.of();

  @BeforeAll
  static void callAll() throws Exception {
    hosts = TwoHosts.up();
    String directory = Files.createDirectory(hosts.shared().resolve("streams")).toString();
    Running.Result result =
        hosts
            .start(Host.A, TwoHosts.java(StreamCalls.class, hosts.program("rexec"), directory))
            .result(LIMIT);
    assertThat(result.code()).as("%s", result).isZero();
    verdicts =
        result
            .output()
            .lines()
            .map(line -> line.split("\t", 2))
            .collect(toMap(line -> line[0], line -> line[1]));
  }

  static List<String> names() {
    return StreamCalls.names();
  }

  @ParameterizedTest
  @MethodSource("names")
  void everyByteArrivesAndTheCodeIsRight(String name) {
    assertThat(verdicts.get(name)).isEqualTo(StreamCalls.RIGHT);
  }

  /** Nothing keeps the program that was asked for to the end of those it leaves behind. */
  @Test
  void aGrandchildThatHasTheOutputDoesNotHoldTheClient() throws Exception {
    Running.Result result =
        hosts.rexec("--wait=exit", "/bin/sh", "-c", "sleep 98761 & echo done; exit 3");
    assertThat(result.output()).as("%s", result).isEqualTo("done\n");
    assertThat(result.code()).as("%s", result).isEqualTo(3);
  }
}
