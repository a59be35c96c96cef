package qtfs.whitelist;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class DurationsTest {
  @ParameterizedTest
  @CsvSource({
    "500ms,500",
    "10s,10000",
    "0s,0",
    "5m,300000",
    "5min,300000",
    "2h,7200000",
    "30,30000",
    "1.5,1500",
    ".5s,500",
    "5.s,5000",
    "0.0009,0",
    "9999999999h,35999999996400000"
  })
  void times(String text, long millis) {
    assertThat(Durations.parse(text)).contains(Duration.ofMillis(millis));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "s",
        ".",
        ".s",
        "-1s",
        "+1s",
        "1 s",
        " 1s",
        "1s ",
        "1S",
        "1d",
        "1e3s",
        "1.5.5s",
        "00000000001s",
        "\u0661s",
        "1ms2s",
        "1\n"
      })
  void noTimes(String text) {
    assertThat(Durations.parse(text)).isEmpty();
  }
}
