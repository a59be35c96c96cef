package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/**
 * A gibibyte through a reader that does not read yet: what is on the way is little, and none is
 * lost.
 */
final class SlowReaderIT {
  private static final long GIBIBYTE = 1L << 30;

  /** Pipes, sockets, TCP and two proxies hold a few; without a bound it would be all of them. */
  private static final long MOST_ON_THE_WAY = 64L << 20;

  @AutoClose private static TwoHosts hosts;

  @BeforeAll
  static void up() throws Exception {
    hosts = TwoHosts.up();
  }

  /** How many bytes a process has written so far. */
  private static long written(String pid) throws IOException {
    return Files.readAllLines(Path.of("/proc", pid, "io")).stream()
        .filter(line -> line.startsWith("wchar: "))
        .mapToLong(line -> Long.parseLong(line.substring("wchar: ".length())))
        .sum();
  }

  private static String pidOf(Path file) throws Exception {
    Await.until("its pid is known", () -> Files.exists(file) && Files.size(file) > 1);
    return Files.readString(file).strip();
  }

  /** Until it writes nothing more for a while. */
  private static void awaitStandstill(String pid) throws Exception {
    long[] before = {-1, 0};
    Await.until(
        "the writer waits",
        () -> {
          long now = written(pid);
          before[1] = now == before[0] && now > 0 ? before[1] + 1 : 0;
          before[0] = now;
          return before[1] == 20;
        });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "sh -c 'echo $$ >\"$0\"; exec head -c 1G /dev/zero' \"$1\""
            + " | \"$REXEC\" /bin/sh -c 'read -r _ <\"$0\"; wc -c; exit 5' \"$2\"",
        "\"$REXEC\" /bin/sh -c 'echo $$ >\"$0\"; exec head -c 1G /dev/zero' \"$1\""
            + " | { read -r _ <\"$2\"; wc -c; exit 5; }"
      })
  void aGibibyteWaitsWhereItComesFrom(String script) throws Exception {
    Path directory = Files.createTempDirectory(hosts.shared(), "slow");
    Path pid = directory.resolve("pid");
    Path gate = directory.resolve("gate");
    assertThat(hosts.sh(Host.A, "mkfifo \"$1\"", gate.toString()).code()).isZero();
    Running call = hosts.startSh(Host.A, script, pid.toString(), gate.toString());
    String writer = pidOf(pid);
    awaitStandstill(writer);
    assertThat(written(writer)).isLessThan(MOST_ON_THE_WAY);
    Files.writeString(gate, "go\n");
    Running.Result result = call.result();
    assertThat(result.output().strip()).as("%s", result).isEqualTo(Long.toString(GIBIBYTE));
    assertThat(result.code()).as("%s", result).isEqualTo(5);
  }
}
