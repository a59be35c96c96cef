package qtfs.whitelist;

import java.util.Optional;

/**
 * A pattern for one argument, on byte strings. {@code *} stands for any bytes, {@code ?} for one,
 * {@code \*}, {@code \?} and {@code \\} for themselves.
 *
 * <p>What they stand for never climbs: an argument with {@code ../} or a final {@code ..} fits a
 * pattern that has it, or the pattern {@code *}, and no other. Matching takes no more steps than
 * argument times pattern, whatever they are.
 */
final class ArgumentPattern {
  static final ArgumentPattern ANY = new ArgumentPattern("\u0100");

  // Above every byte, so that a byte string holds neither.
  private static final char MANY = '\u0100';
  private static final char ONE = '\u0101';

  private final String text;

  private ArgumentPattern(String text) {
    this.text = text;
  }

  /** Of a written pattern; empty if a backslash in it stands before none of the three. */
  static Optional<ArgumentPattern> of(String written) {
    StringBuilder out = new StringBuilder(written.length());
    for (int i = 0; i < written.length(); i++) {
      char c = written.charAt(i);
      if (c == '*') {
        out.append(MANY);
      } else if (c == '?') {
        out.append(ONE);
      } else if (c != '\\') {
        out.append(c);
      } else if (i + 1 < written.length() && "*?\\".indexOf(written.charAt(i + 1)) >= 0) {
        out.append(written.charAt(++i));
      } else {
        return Optional.empty();
      }
    }
    return Optional.of(new ArgumentPattern(out.toString()));
  }

  boolean matches(String argument) {
    return fits(argument) && (!climbs(argument) || climbs(text) || text.equals(ANY.text));
  }

  private static boolean climbs(String text) {
    return text.contains("../") || text.endsWith("..");
  }

  /** Goes back to the last {@link #MANY} only: what came before it is settled. */
  private boolean fits(String argument) {
    int at = 0;
    int pattern = 0;
    int many = -1;
    int retry = 0;
    while (at < argument.length()) {
      char expected = pattern < text.length() ? text.charAt(pattern) : '\0';
      if (pattern < text.length() && expected == MANY) {
        many = pattern++;
        retry = at;
      } else if (pattern < text.length() && (expected == ONE || expected == argument.charAt(at))) {
        pattern++;
        at++;
      } else if (many >= 0) {
        pattern = many + 1;
        at = ++retry;
      } else {
        return false;
      }
    }
    while (pattern < text.length() && text.charAt(pattern) == MANY) {
      pattern++;
    }
    return pattern == text.length();
  }
}
