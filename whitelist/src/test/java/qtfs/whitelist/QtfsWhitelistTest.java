package qtfs.whitelist;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class QtfsWhitelistTest {

  private static String numbered(int count) {
    return IntStream.range(0, count).mapToObj(i -> "/" + i).collect(Collectors.joining(";"));
  }

  @ParameterizedTest
  @EnumSource(Group.class)
  void knowsEveryGroupInAnyCase(Group group) {
    String title = group.title();
    for (String name :
        List.of(title, title.toLowerCase(Locale.ROOT), title.toUpperCase(Locale.ROOT))) {
      QtfsWhitelist whitelist = Whitelists.parse("[" + name + "]\nPath=/a;/b;\n");
      assertThat(whitelist.entries(group)).containsExactly("/a", "/b");
    }
  }

  @Test
  void listsNothingOfAnAbsentGroup() {
    for (QtfsWhitelist whitelist :
        List.of(QtfsWhitelist.empty(), Whitelists.parse("[Open]\nPath=\n"))) {
      assertThat(Group.values())
          .allSatisfy(group -> assertThat(whitelist.entries(group)).isEmpty());
      assertThat(whitelist.allows(Group.OPEN, "")).isFalse();
    }
  }

  @Test
  void readsTheExampleOfTheManual() {
    QtfsWhitelist whitelist =
        Whitelists.parse(
            """
            [Open]
            Path=/home/VMs;/var/lib/libvirt/qemu

            [Mount]
            Path=/var/lib/libvirt
            """);
    assertThat(whitelist.entries(Group.OPEN)).containsExactly("/home/VMs", "/var/lib/libvirt/qemu");
    assertThat(whitelist.entries(Group.MOUNT)).containsExactly("/var/lib/libvirt");
  }

  @Test
  void ofSeveralGroupsOfOneNameInAnyCaseTheLastValueCounts() {
    QtfsWhitelist whitelist = Whitelists.parse("[Open]\nPath=/a\n[OPEN]\nPath=/b\n[open]\nX=1\n");
    assertThat(whitelist.entries(Group.OPEN)).containsExactly("/b");
  }

  @Test
  void aReplacedValueIsNotJudged() {
    assertThat(Whitelists.problems("[Open]\nPath=not absolute\nPath=/b\n")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[Other]\nPath=relative;;\n",
        "[Open]\npath=relative\n",
        "[Open]\nPath[de]=relative\n",
        "[Open]\nPaths=relative\n",
        "[Op]\nPath=\\q\n",
        "# Path=relative\n",
      })
  void ignoresWhatItDoesNotKnow(String text) {
    assertThat(Whitelists.parse(text).entries(Group.OPEN)).isEmpty();
  }

  @Test
  void keepsADuplicateOnce() {
    assertThat(Whitelists.parse("[Open]\nPath=/b;/a;/b\n").entries(Group.OPEN))
        .containsExactly("/b", "/a");
    assertThat(Whitelists.parse("[Udsaccept]\nPath=/b/;/b\n").entries(Group.UDSACCEPT))
        .containsExactly("/b");
  }

  @ParameterizedTest
  @EnumSource(Group.class)
  void holds64EntriesAGroupAndNotOneMore(Group group) {
    String header = "[" + group.title() + "]\nPath=";
    assertThat(Whitelists.parse(header + numbered(64)).entries(group)).hasSize(64);
    assertThat(Whitelists.parse(header + numbered(64) + ";/63;/0").entries(group)).hasSize(64);
    // /0 to /9 and their ; take 30 columns, /10 to /63 take 54 * 4.
    assertThat(Whitelists.problems(header + numbered(65)))
        .singleElement()
        .asString()
        .startsWith("2:" + (6 + 30 + 216) + ": [" + group.title() + "] has 65 entries");
  }

  @Test
  void takes4095BytesAnEntryAndNotOneMore() {
    String longest = "/" + "é".repeat(2047);
    assertThat(longest.getBytes(UTF_8)).hasSize(4095);
    assertThat(Whitelists.parse("[Open]\nPath=" + longest).allows(Group.OPEN, longest)).isTrue();
    assertThat(Whitelists.problems("[Open]\nPath=/a;" + longest + "x"))
        .singleElement()
        .asString()
        .startsWith("2:9: entry '/éé")
        .contains("...' has 4096 bytes")
        .hasSizeLessThan(200);
  }

  @Test
  void everyGroupFullIsNotTooMuch() {
    String entries =
        IntStream.range(0, 64)
            .mapToObj(i -> "/" + "x".repeat(4092) + (10 + i))
            .collect(Collectors.joining(";"));
    String text =
        Stream.of(Group.values())
            .filter(group -> group != Group.KILL)
            .map(group -> "[" + group.title() + "]\nPath=" + entries + "\n")
            .collect(Collectors.joining());
    assertThat(Whitelists.parse(text).entries(Group.MOUNT)).hasSize(64);
  }

  static Stream<Arguments> faults() {
    return Stream.of(
        Arguments.of("[Open]\nPath=a", "2:6: entry 'a' is not absolute: start it with /"),
        Arguments.of("[Open]\nPath=/a; /b", "2:9: entry ' /b' is not absolute: start it with /"),
        Arguments.of("[Udsaccept]\nPath=a.sock", "2:6: entry 'a.sock' is not absolute"),
        Arguments.of("[Open]\nPath=;", "2:6: entry '' is empty, and the kernel would match every"),
        Arguments.of("[Open]\nPath=/a;;/b", "2:9: entry '' is empty"),
        Arguments.of("[Kill]\nPath=a;;", "2:8: entry '' is empty: name a task"),
        Arguments.of("[Kill]\nPath=1234567890123456", "2:6: entry '1234567890123456' has 16 bytes"),
        Arguments.of("[Kill]\nPath=éééééééé", "2:6: entry 'éééééééé' has 16 bytes"),
        Arguments.of("[Udsaccept]\nPath=/", "2:6: entry '/' would open every socket"),
        Arguments.of("[Udsaccept]\nPath=//", "2:6: entry '//' would open every socket"),
        Arguments.of("[Udsaccept]\nPath=/a/../b", "2:6: entry '/a/../b' has a component .."),
        Arguments.of("[Udsaccept]\nPath=/a/../", "2:6: entry '/a/../' has a component .."),
        Arguments.of("[Open]\n  Path  =  b", "2:12: entry 'b' is not absolute"),
        Arguments.of("[Open]\nPath=/é;b", "2:10: entry 'b' is not absolute"),
        Arguments.of("[Open]\nPath=/a\\q", "2:8: \\ begins none of"),
        Arguments.of("[Open]\nPath=/a\\", "2:8: \\ begins none of"),
        Arguments.of("[Open]\nPath=a\\nb", "2:6: entry 'a\\x0ab' is not absolute"),
        Arguments.of("[Open]\nPath=/a\0b", "2:8: NUL byte"),
        Arguments.of("# \0", "1:3: NUL byte"),
        Arguments.of("Path=/a", "1:1: stands before the first group"),
        Arguments.of("\n [Open\n", "2:2: neither [Group], nor Path=..., nor # comment: '[Open'"),
        Arguments.of("[Open] Path=/a", "1:1: no name for a key: '[Open] Path'"),
        Arguments.of("[Open]\r\nPath\r\n", "2:1: neither [Group], nor Path=..., nor # comment"),
        Arguments.of("[]", "1:2: no name for a group: ''"),
        Arguments.of("[a[b]", "1:2: no name for a group: 'a[b'"),
        Arguments.of("[a]\nx[=1", "2:1: no name for a key: 'x['"),
        Arguments.of("[a]\n=1", "2:1: neither [Group], nor Path=..., nor # comment: '=1'"));
  }

  @ParameterizedTest
  @MethodSource("faults")
  void tellsLineAndColumn(String text, String problem) {
    assertThat(Whitelists.problems(text)).singleElement().asString().startsWith(problem);
  }

  @Test
  void takesACommOf15Bytes() {
    QtfsWhitelist whitelist = Whitelists.parse("[Kill]\nPath=123456789012345");
    assertThat(whitelist.allows(Group.KILL, "123456789012345")).isTrue();
  }

  @Test
  void reportsInvalidUtf8OfAnEntryOnly() {
    byte[] comment = "# caf\u00e9\n[Open]\nX=\u00e9\nPath=/a\n".getBytes(ISO_8859_1);
    assertThat(Whitelists.problems(comment)).isEmpty();
    byte[] entry = "[Open]\nPath=/a;/\u00e9;b".getBytes(ISO_8859_1);
    assertThat(Whitelists.problems(entry))
        .satisfiesExactly(
            first -> assertThat(first).startsWith("2:9: not UTF-8: '/\ufffd'"),
            second -> assertThat(second).startsWith("2:12: entry 'b' is not absolute"));
  }

  @Test
  void reportsEveryProblemAtOnce() {
    List<String> problems =
        Whitelists.problems(
            """
            nonsense
            [Open]
            Path=a;/b\\x;;/c
            [Kill]
            Path=0123456789abcdef
            [
            """);
    assertThat(problems)
        .extracting(text -> text.substring(0, text.indexOf(": ")))
        .containsExactly("1:1", "3:6", "3:10", "3:13", "5:6", "6:1");
  }

  @Test
  void theMessageHasALineForEachProblemAndCountsTheRestOfTooMany() {
    String text = String.join("", Collections.nCopies(250, "nonsense\u0007\n"));
    try {
      QtfsWhitelist.parse(text.getBytes(UTF_8), new Problems(Path.of("/w")));
      throw new AssertionError("taken");
    } catch (WhitelistException e) {
      assertThat(e.problems()).hasSize(Problems.MOST + 1);
      assertThat(e.problems().getFirst().line()).isEqualTo(1);
      List<String> lines = String.valueOf(e.getMessage()).lines().toList();
      assertThat(lines).hasSize(Problems.MOST + 1);
      assertThat(lines.getFirst())
          .isEqualTo("/w:1:1: neither [Group], nor Path=..., nor # comment: 'nonsense\\x07'");
      assertThat(lines.getLast()).isEqualTo("/w: 150 more problems");
    }
  }
}
