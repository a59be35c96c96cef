package qtfs.whitelist;

import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Parser of GLib's key-file syntax, for the one key that matters here: {@code Path}.
 *
 * <p>Takes and refuses the lines that GLib does, and as there, groups of one name are one group and
 * the last value of a key counts. It differs in that a group's name may be in any case, and that a
 * NUL is a problem: GLib takes it for the end of the line, which hides what follows.
 */
final class KeyFile {
  private static final String KEY = "Path";
  private static final String SPACE = " \t\f\r"; // g_ascii_isspace, but for the line feed
  // With the locale of a translation; no blank stands before it.
  private static final Pattern KEY_NAME =
      Pattern.compile("[^\\[\\]]*[^\\[\\] ](\\[[-_.@\\p{L}\\p{N}]*])?");

  /**
   * The value of {@code Path} in a group, escapes and all.
   *
   * @param bytes one in each char
   * @param column of its first byte
   */
  record Value(String bytes, int line, int column) {}

  private final Problems problems;
  private final Problems remarks;
  private final Map<Group, Value> values = new EnumMap<>(Group.class);
  private boolean inGroup;
  private Optional<Group> group = Optional.empty();

  private KeyFile(Problems problems, Problems remarks) {
    this.problems = problems;
    this.remarks = remarks;
  }

  static Map<Group, Value> parse(byte[] bytes, Problems problems) {
    return parse(bytes, problems, new Problems(Path.of("")));
  }

  /**
   * @param remarks what is no fault and may still not be meant: whatever is ignored
   */
  static Map<Group, Value> parse(byte[] bytes, Problems problems, Problems remarks) {
    KeyFile file = new KeyFile(problems, remarks);
    int number = 1;
    for (String line : Utf8.bytes(bytes).split("\n", -1)) {
      file.line(line.endsWith("\r") ? line.substring(0, line.length() - 1) : line, number++);
    }
    return file.values;
  }

  private void line(String line, int number) {
    int start = skipSpace(line, 0);
    int nul = line.indexOf('\0');
    if (nul >= 0) {
      problems.add(number, nul + 1, "NUL byte: remove it");
    } else if (start == line.length() || line.charAt(start) == '#') {
      return;
    } else if (isHeader(line, start)) {
      header(line, number, start);
    } else if (line.indexOf('=', start) > start) {
      pair(line, number, start);
    } else {
      problems.add(
          number,
          start + 1,
          "neither [Group], nor Path=..., nor # comment: " + Utf8.show(line.substring(start)));
    }
  }

  private static boolean isHeader(String line, int start) {
    int end = line.indexOf(']', start);
    return line.charAt(start) == '['
        && end >= 0
        && line.substring(end + 1).chars().allMatch(c -> c == ' ' || c == '\t' || c == '\r');
  }

  private void header(String line, int number, int start) {
    String name = line.substring(start + 1, line.indexOf(']', start));
    if (name.isEmpty() || name.chars().anyMatch(c -> c == '[' || c < ' ' || c == 0x7f)) {
      problems.add(number, start + 2, "no name for a group: " + Utf8.show(name));
    }
    inGroup = true;
    group = Group.named(name);
    if (group.isEmpty()) {
      remarks.add(
          number, start + 2, "no group has the name " + Utf8.show(name) + ": it is ignored");
    } else if (!group.get().title().equals(name)) {
      String written = "the C engine ignores [" + name + "]: write [";
      remarks.add(number, start + 2, written + group.get().title() + "]");
    }
  }

  private void pair(String line, int number, int start) {
    int equals = line.indexOf('=', start);
    String key = trimEnd(line.substring(start, equals));
    if (!KEY_NAME.matcher(Utf8.lenient(key)).matches()) {
      problems.add(number, start + 1, "no name for a key: " + Utf8.show(key));
    } else if (!inGroup) {
      problems.add(number, start + 1, "stands before the first group: put [Open] or such above it");
    } else if (group.isPresent() && key.equals(KEY)) {
      int value = skipSpace(line, equals + 1);
      put(group.get(), new Value(line.substring(value), number, value + 1), start);
    } else if (group.isPresent()) {
      String ignored = "the key " + Utf8.show(key) + " is ignored: a list is called " + KEY;
      remarks.add(number, start + 1, ignored);
    }
  }

  private void put(Group group, Value value, int start) {
    @Nullable Value before = values.put(group, value);
    if (before != null) {
      String list = "replaces the list of [" + group.title() + "] in line " + before.line();
      remarks.add(value.line(), start + 1, list + ": write one list");
    }
  }

  private static int skipSpace(String line, int from) {
    int i = from;
    while (i < line.length() && SPACE.indexOf(line.charAt(i)) >= 0) {
      i++;
    }
    return i;
  }

  private static String trimEnd(String text) {
    int end = text.length();
    while (end > 0 && SPACE.indexOf(text.charAt(end - 1)) >= 0) {
      end--;
    }
    return text.substring(0, end);
  }
}
