package qtfs.whitelist;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * D4: whitelist files parse as GLib 2.74 parsed them, recorded by {@code src/test/glib/record.py}.
 */
final class GlibTest {
  private static final Pattern ESCAPE = Pattern.compile("\\\\x([0-9a-f]{2})");

  record Recorded(String file, String answer) {}

  static List<Recorded> recorded() throws Exception {
    try (InputStream in = requireNonNull(GlibTest.class.getResourceAsStream("glib.txt"))) {
      return new String(in.readAllBytes(), US_ASCII)
          .lines()
          .map(line -> line.split("\t", -1))
          .map(fields -> new Recorded(fields[0], fields[1]))
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("recorded")
  void readsAsGlibDoes(Recorded recorded) {
    assertThat(read(unescape(recorded.file()))).isEqualTo(recorded.answer());
  }

  private static String read(byte[] file) {
    Problems problems = new Problems(Path.of("whitelist"));
    Map<Group, KeyFile.Value> values = KeyFile.parse(file, problems);
    String answer = "none";
    if (values.containsKey(Group.OPEN)) {
      answer = text(EntryList.split(requireNonNull(values.get(Group.OPEN)), problems));
    }
    try {
      problems.throwIfAny();
      return answer;
    } catch (WhitelistException _) {
      return "error";
    }
  }

  private static String text(List<EntryList.Entry> entries) {
    return entries.stream()
        .map(entry -> escape(entry.text().getBytes(UTF_8)) + ",")
        .collect(Collectors.joining());
  }

  private static byte[] unescape(String text) {
    return ESCAPE
        .matcher(text)
        .replaceAll(
            match ->
                Matcher.quoteReplacement(
                    String.valueOf((char) Integer.parseInt(match.group(1), 16))))
        .getBytes(ISO_8859_1);
  }

  private static String escape(byte[] bytes) {
    StringBuilder out = new StringBuilder();
    for (byte b : bytes) {
      boolean plain = b >= ' ' && b < 0x7f && b != '\\' && b != ',';
      out.append(plain ? String.valueOf((char) b) : String.format("\\x%02x", b));
    }
    return out.toString();
  }
}
