package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class UnitsTest {
  @ParameterizedTest
  @CsvSource({
    "500ms,500",
    "10s,10000",
    "1.5s,1500",
    "0s,0",
    "5m,300000",
    "2h,7200000",
    "off,0",
    "0,0"
  })
  void times(String text, long millis) throws Exception {
    assertThat(Units.duration("--t", text).toMillis()).isEqualTo(millis);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "10",
        "s",
        "-1s",
        "+1s",
        "1 s",
        " 1s",
        "1s ",
        "1S",
        "1d",
        "1e3s",
        "00000000001s",
        "\u0661s",
        "1ms2s"
      })
  void noTimes(String text) {
    assertThatThrownBy(() -> Units.duration("--t", text))
        .isInstanceOf(StartException.class)
        .hasMessage("--t is \"" + text + "\", must be a time such as 500ms, 10s, 5m or 2h");
  }

  @ParameterizedTest
  @CsvSource({"0,0", "65536,65536", "256K,262144", "1M,1048576", "2G,2147483648"})
  void sizes(String text, long bytes) throws Exception {
    assertThat(Units.size("--s", text)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "K", "-1", "1k", "1KB", "1KiB", "1.5M", "1 K", "9999999999", "1T"})
  void noSizes(String text) {
    assertThatThrownBy(() -> Units.size("--s", text))
        .isInstanceOf(StartException.class)
        .hasMessage("--s is \"" + text + "\", must be a size such as 65536, 256K or 1M");
  }
}
