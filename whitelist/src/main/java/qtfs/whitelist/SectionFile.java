package qtfs.whitelist;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Parser of the files that are ours alone: sections of keys, as in a key file, and nothing that is
 * passed over. A line is {@code [name]}, {@code Key=value}, blank, or a comment that starts with
 * {@code #}; blanks around a line, its key and its value do not count. Everything else is a
 * problem, for a misspelt restriction must never be none.
 */
final class SectionFile {
  private static final String BLANK = " \t\r\f\u000b";
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]+");

  private final Problems problems;
  private final List<Section> sections = new ArrayList<>();
  private @Nullable Section current;

  private SectionFile(Problems problems) {
    this.problems = problems;
  }

  /** A {@code [name]} and the keys below it, in the order of the file. */
  record Section(String name, int line, List<Key> keys) {}

  /**
   * A key and its value.
   *
   * @param value bytes, one in each char
   * @param start column of the key
   */
  record Key(String name, KeyFile.Value value, int start) {
    int line() {
      return value.line();
    }
  }

  static List<Section> parse(byte[] bytes, Problems problems) {
    SectionFile file = new SectionFile(problems);
    int number = 1;
    for (String line : Utf8.bytes(bytes).split("\n", -1)) {
      file.line(line, number++);
    }
    return file.sections;
  }

  private void line(String line, int number) {
    int start = skipBlank(line, 0);
    int end = trimEnd(line, line.length());
    int equals = line.indexOf('=', start);
    if (start >= end || line.charAt(start) == '#') {
      return;
    }
    int control = indexOfControl(line, start, end);
    if (control >= 0) {
      problems.add(number, control + 1, "control character: remove it");
    } else if (line.charAt(start) == '[') {
      header(line.substring(start, end), number, start);
    } else if (equals > start) {
      pair(line.substring(0, end), number, start, equals);
    } else {
      String text = Utf8.show(line.substring(start, end));
      problems.add(number, start + 1, "neither [name], nor Key=value, nor # comment: " + text);
    }
  }

  private void header(String line, int number, int start) {
    String name = line.endsWith("]") ? line.substring(1, line.length() - 1) : "";
    if (!NAME.matcher(name).matches()) {
      String right = "write [name], of letters, digits and . _ -: ";
      problems.add(number, start + 1, right + Utf8.show(line));
    }
    // Also after a problem, so that its keys are looked at.
    current = new Section(name, number, new ArrayList<>());
    sections.add(current);
  }

  private void pair(String line, int number, int start, int equals) {
    String name = line.substring(start, trimEnd(line, equals));
    int value = skipBlank(line, equals + 1);
    if (current == null) {
      problems.add(number, start + 1, "stands before the first [name]: put one above it");
    } else {
      KeyFile.Value at = new KeyFile.Value(line.substring(value), number, value + 1);
      current.keys().add(new Key(name, at, start + 1));
    }
  }

  private static int indexOfControl(String line, int from, int end) {
    for (int i = from; i < end; i++) {
      char c = line.charAt(i);
      if (c == 0x7f || (c < ' ' && c != '\t')) {
        return i;
      }
    }
    return -1;
  }

  private static int skipBlank(String line, int from) {
    int i = from;
    while (i < line.length() && BLANK.indexOf(line.charAt(i)) >= 0) {
      i++;
    }
    return i;
  }

  private static int trimEnd(String text, int from) {
    int end = from;
    while (end > 0 && BLANK.indexOf(text.charAt(end - 1)) >= 0) {
      end--;
    }
    return end;
  }
}
