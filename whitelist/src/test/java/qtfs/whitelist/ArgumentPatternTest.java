package qtfs.whitelist;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ArgumentPatternTest {
  private static boolean fits(String pattern, String argument) {
    return ArgumentPattern.of(pattern).orElseThrow().matches(argument);
  }

  @ParameterizedTest
  @CsvSource(
      value = {
        "info|info",
        "''|''",
        "*|''",
        "*|/any/thing",
        "*|../etc/shadow",
        "a*|a",
        "a*b*c|aXXbYYbc",
        "*.qcow2|disk.qcow2",
        "?|x",
        "a?c|a*c",
        "\\*|*",
        "\\?|?",
        "a\\\\b|a\\b",
        "/srv/*|/srv/a/b",
        "/srv/*|/srv/..a",
        "../*|../x",
      },
      delimiter = '|')
  void whatFits(String pattern, String argument) {
    assertThat(fits(pattern, argument)).isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      value = {
        "info|infos",
        "info|inf",
        "info|Info",
        "''|x",
        "?|''",
        "?|xy",
        "a*b|aXc",
        "\\*|x",
        "\\?|x",
        "*.qcow2|disk.qcow2.sh",
        "/srv/*|/srv/../etc/shadow",
        "/srv/*|/srv/..",
        "/srv/*|/srv/a/../../etc",
        "--file=*|--file=..",
        "??|..",
      },
      delimiter = '|')
  void doesNotFit(String pattern, String argument) {
    assertThat(fits(pattern, argument)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"\\", "a\\", "\\a", "\\["})
  void aBackslashStandsBeforeWhatItTakesTheMeaningOf(String pattern) {
    assertThat(ArgumentPattern.of(pattern)).isEmpty();
  }

  @Test
  void manyStarsAndALongArgumentTakeNoTimeWorthMentioning() {
    // Exponential matching would not end before the Sun does.
    assertThat(fits("*a".repeat(1000) + "b", "a".repeat(10_000))).isFalse();
  }
}
