package qtfs.udsproxy;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

final class LimitOptionsTest {
  private static final ProxyOptions OPTIONS = new ProxyOptions("threads", 0);

  private static ProxyConfig read(String... options) throws StartException {
    List<String> line = new ArrayList<>(List.of(options));
    line.addAll(List.of("1", "127.0.0.1", "5555", "127.0.0.1", "5556"));
    CommandSpec spec = CommandSpec.create();
    OPTIONS.addTo(spec);
    return OPTIONS.read(new CommandLine(spec).parseArgs(line.toArray(String[]::new)));
  }

  @Test
  void withoutAnyTheDefaultsHold() throws Exception {
    ProxyConfig config = read();
    assertThat(config.limits()).isEqualTo(Limits.DEFAULT);
    assertThat(config.deadlines()).isEqualTo(Deadlines.DEFAULT);
    assertThat(config.metrics()).isNull();
  }

  @Test
  void eachIsTaken() throws Exception {
    ProxyConfig config =
        read(
            "--max-sessions=100",
            "--max-sessions-per-peer=20",
            "--handshake-timeout=3s",
            "--pairing-timeout=700ms",
            "--idle-timeout=2h",
            "--link-timeout=5s",
            "--max-buffered=1M",
            "--max-buffered-total=32M",
            "--metrics=[::1]:9112");
    assertThat(config.limits())
        .isEqualTo(
            new Limits(100, 20, Duration.ofHours(2), 1 << 20, 32 << 20, Duration.ofSeconds(5)));
    assertThat(config.deadlines().handshake()).isEqualTo(Duration.ofSeconds(3));
    assertThat(config.deadlines().pairing()).isEqualTo(Duration.ofMillis(700));
    assertThat(requireNonNull(config.metrics()).getPort()).isEqualTo(9112);
  }

  @Test
  void aPeerMayHaveThreeQuartersOfWhatIsAllowed() throws Exception {
    assertThat(read("--max-sessions=100").limits().sessionsPerPeer()).isEqualTo(75);
    assertThat(read("--max-sessions=1").limits().sessionsPerPeer()).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--max-sessions=0 | --max-sessions is \"0\", must be a number from 1 to 1000000",
        "--max-sessions=1e3 | --max-sessions is \"1e3\", must be a number from 1 to 1000000",
        "--max-sessions-per-peer=-1 | must be a number from 1 to 1000000",
        "--handshake-timeout=0 | --handshake-timeout is \"0\", must be from 100ms to 1h",
        "--handshake-timeout=2h | must be from 100ms to 1h",
        "--handshake-timeout=10 | must be a time such as 500ms, 10s, 5m or 2h",
        "--pairing-timeout=off | must be from 100ms to 1h",
        "--idle-timeout=1ms | --idle-timeout is \"1ms\", must be from 100ms to 720h",
        "--link-timeout=4s | --link-timeout is \"4s\", must be from 5s to 1h",
        "--link-timeout=off | must be from 5s to 1h",
        "--max-buffered=1K | --max-buffered is \"1K\", must be from 16K to 1G",
        "--max-buffered-total=1023K | --max-buffered-total is \"1023K\", must be from 1M to",
        "--max-buffered=256k | must be a size such as 65536, 256K or 1M",
        "--metrics=9112 | --metrics is \"9112\", must be ADDR:PORT, such as 127.0.0.1:9112",
        "--metrics=127.0.0.1:70000 | must be ADDR:PORT",
        "--metrics=no.such..host:1 | whose address is neither one nor a known host"
      })
  void whatCannotBeMeantIsOneClearLine(String option, String said) {
    assertThatThrownBy(() -> read(option))
        .isInstanceOf(StartException.class)
        .message()
        .contains(said)
        .doesNotContain("\n");
  }
}
