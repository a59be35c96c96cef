package qtfs.whitelist;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** S7: the whitelist of rexec; its owner and mode are GuardedFileTest's. */
final class RexecWhitelistTest {
  private static final String LONGEST = "/" + "x".repeat(253);

  private static String numbered(int count) {
    return IntStream.range(0, count).mapToObj(i -> "/" + i + "\n").collect(Collectors.joining());
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          /usr/bin/kill,  true
          kill,           false
          /usr/bin/kil,   false
          /usr/bin/kill2, false
          /usr/bin/kill/, false
          /USR/BIN/KILL,  false
          //usr/bin/kill, false
          '',             false
          ' ',            false
          """)
  void comparesExactly(String argv0, boolean allowed) {
    assertThat(Whitelists.parseRexec("/usr/bin/kill\n").allows(argv0)).isEqualTo(allowed);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/bin/true",
        "/bin/true\n",
        "/bin/true\r\n",
        "/bin/true\r",
        "/bin/true \t\n",
        "/bin/true\t \r\n\r\n",
        "\n\n/bin/true\n\n",
        " \t\r\n/bin/true\n  ",
        "/bin/true\n/bin/true\n",
      })
  void cutsWhatAnEditorLeavesBehind(String text) {
    RexecWhitelist whitelist = Whitelists.parseRexec(text);
    assertThat(whitelist.size()).isEqualTo(1);
    assertThat(whitelist.allows("/bin/true")).isTrue();
    assertThat(whitelist.allows("")).isFalse();
  }

  @Test
  void keepsBlanksWithinAndInFront() {
    RexecWhitelist whitelist = Whitelists.parseRexec("/opt/a b\n /bin/true\n");
    assertThat(whitelist.allows("/opt/a b")).isTrue();
    assertThat(whitelist.allows(" /bin/true")).isTrue();
    assertThat(whitelist.allows("/bin/true")).isFalse();
  }

  @Test
  void hasNoComments() {
    RexecWhitelist whitelist = Whitelists.parseRexec("#x\n/bin/true # y\n");
    assertThat(whitelist.allows("#x")).isTrue();
    assertThat(whitelist.allows("/bin/true")).isFalse();
  }

  @Test
  void keepsAProgramThatEndsBeyondAscii() {
    RexecWhitelist whitelist = Whitelists.parseRexec("/bin/\u00c3\u00a9\n"); // UTF-8 of é
    assertThat(whitelist.allows("/bin/é")).isTrue();
    assertThat(whitelist.allows("/bin/")).isFalse();
  }

  @Test
  void takes254BytesALine() {
    assertThat(Whitelists.parseRexec(LONGEST + " \r\n").allows(LONGEST)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(ints = {255, 256, 257, 70_000})
  void refusesALongerLine(int bytes) {
    String line = "/" + "x".repeat(bytes - 1);
    assertThat(Whitelists.rexecProblems("/bin/true\n" + line))
        .containsExactly("2:255: has " + bytes + " bytes, and at most 254 count: shorten it");
  }

  @Test
  void takes256Programs() {
    RexecWhitelist whitelist = Whitelists.parseRexec(numbered(256) + "\n\n");
    assertThat(whitelist.size()).isEqualTo(256);
    assertThat(whitelist.allows("/255")).isTrue();
  }

  @ParameterizedTest
  @ValueSource(ints = {257, 1000})
  void refusesMorePrograms(int count) {
    assertThat(Whitelists.rexecProblems("\n" + numbered(count)))
        .containsExactly("258: more than 256 programs: remove those from here");
  }

  static Stream<Arguments> faults() {
    return Stream.of(
        Arguments.of("", "has no entry, so that nothing could be run"),
        Arguments.of("\n \r\n\t\n", "has no entry, so that nothing could be run"),
        Arguments.of("/bin/a\n/bin/\0b\n", "2:6: control character 0x00"),
        Arguments.of("/bin/a\0\n", "1:7: control character 0x00"),
        Arguments.of("\0", "1:1: control character 0x00"),
        Arguments.of("/bin/\u001b[2J", "1:6: control character 0x1b"),
        Arguments.of("/bin/\tb", "1:6: control character 0x09"),
        Arguments.of("/bin/a\r/bin/b\n", "1:7: control character 0x0d"),
        Arguments.of("/bin/\u007f", "1:6: control character 0x7f"),
        Arguments.of("/bin/a\n/bin/\u00ff\n", "2:1: not UTF-8: '/bin/\ufffd'"),
        Arguments.of("/bin/\u00c0\u00af", "1:1: not UTF-8"), // an overlong /
        Arguments.of("/bin/\u00ed\u00a0\u0080", "1:1: not UTF-8")); // a surrogate
  }

  @ParameterizedTest
  @MethodSource("faults")
  void tellsLineAndColumn(String bytes, String problem) {
    assertThat(Whitelists.rexecProblems(bytes)).singleElement().asString().startsWith(problem);
  }

  @Test
  void reportsEveryProblemAtOnce() {
    assertThat(Whitelists.rexecProblems("/\u0001\n" + LONGEST + "x\n\u00ff\n")).hasSize(3);
  }
}
