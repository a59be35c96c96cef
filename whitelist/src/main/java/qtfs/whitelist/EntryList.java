package qtfs.whitelist;

import java.util.ArrayList;
import java.util.List;

/**
 * The entries of a {@code Path=} value: separated, and perhaps ended, by {@code ;}, with GLib's
 * escapes {@code \s \t \n \r \\ \;} resolved. Blanks count: {@code /a; /b} has an entry {@code "
 * /b"}.
 */
final class EntryList {
  private static final String LETTERS = "stnr\\;";
  private static final String MEANINGS = " \t\n\r\\;";

  /** An entry and the column of its first byte. */
  record Entry(String text, int column) {}

  private final KeyFile.Value value;
  private final Problems problems;
  private final List<Entry> entries = new ArrayList<>();
  private final StringBuilder current = new StringBuilder();
  private int start;

  private EntryList(KeyFile.Value value, Problems problems) {
    this.value = value;
    this.problems = problems;
  }

  /** What cannot be understood is left out, and a problem. */
  static List<Entry> split(KeyFile.Value value, Problems problems) {
    EntryList list = new EntryList(value, problems);
    list.read(value.bytes());
    return list.entries;
  }

  private void read(String bytes) {
    for (int i = 0; i < bytes.length(); i++) {
      char c = bytes.charAt(i);
      if (c == ';') {
        end(i + 1);
      } else if (c == '\\') {
        unescape(bytes, i++);
      } else {
        current.append(c);
      }
    }
    if (start < bytes.length()) {
      end(bytes.length());
    }
  }

  private void unescape(String bytes, int at) {
    int meaning = at + 1 < bytes.length() ? LETTERS.indexOf(bytes.charAt(at + 1)) : -1;
    if (meaning >= 0) {
      current.append(MEANINGS.charAt(meaning));
    } else {
      problems.add(
          value.line(),
          value.column() + at,
          "\\ begins none of \\s \\t \\n \\r \\\\ \\;: write \\\\ for a backslash");
    }
  }

  private void end(int next) {
    int column = value.column() + start;
    Utf8.decode(current.toString())
        .ifPresentOrElse(
            text -> entries.add(new Entry(text, column)),
            () ->
                problems.add(value.line(), column, "not UTF-8: " + Utf8.show(current.toString())));
    current.setLength(0);
    start = next;
  }

  /** An entry as it is written into a value. */
  static String escape(String entry) {
    StringBuilder out = new StringBuilder(entry.length());
    for (int i = 0; i < entry.length(); i++) {
      int letter = MEANINGS.indexOf(entry.charAt(i));
      if (letter >= 0) {
        out.append('\\').append(LETTERS.charAt(letter));
      } else {
        out.append(entry.charAt(i));
      }
    }
    return out.toString();
  }
}
