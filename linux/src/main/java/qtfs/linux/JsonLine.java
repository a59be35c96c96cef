package qtfs.linux;

import java.util.Map;

/**
 * A JSON object on one line, for the log: strings, numbers and null only, so that the daemons'
 * start does not load a JSON library for it.
 */
final class JsonLine {
  private JsonLine() {}

  /**
   * The object with these members; a value that is no String stands as its text, a number or null.
   */
  static String of(Map<String, Object> members) {
    StringBuilder out = new StringBuilder(128).append('{');
    members.forEach(
        (name, value) -> {
          if (out.length() > 1) {
            out.append(',');
          }
          quote(out, name);
          out.append(':');
          if (value instanceof String text) {
            quote(out, text);
          } else {
            out.append(value);
          }
        });
    return out.append('}').toString();
  }

  /** RFC 8259: quotation mark, reverse solidus and controls are escaped; here C1 and DEL too. */
  private static void quote(StringBuilder out, String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (Character.isISOControl(c) || isLoneSurrogate(text, i)) {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    out.append('"');
  }

  private static boolean isLoneSurrogate(String text, int i) {
    char c = text.charAt(i);
    if (Character.isHighSurrogate(c)) {
      return i + 1 == text.length() || !Character.isLowSurrogate(text.charAt(i + 1));
    }
    return Character.isLowSurrogate(c)
        && (i == 0 || !Character.isHighSurrogate(text.charAt(i - 1)));
  }
}
