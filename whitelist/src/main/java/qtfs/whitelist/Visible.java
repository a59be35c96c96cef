package qtfs.whitelist;

/** Text from a file made fit for a message: one line, not too long. */
final class Visible {
  private static final int MOST = 60;

  private Visible() {}

  /** Quoted, and cut when long. */
  static String quote(String text) {
    if (text.codePointCount(0, text.length()) <= MOST) {
      return "'" + text + "'";
    }
    return "'" + text.substring(0, text.offsetByCodePoints(0, MOST)) + "...'";
  }

  /** Every control character as {@code \xNN}. */
  static String escape(String text) {
    StringBuilder out = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isISOControl(c)) {
        out.append(String.format("\\x%02x", (int) c));
      } else {
        out.append(c);
      }
    }
    return out.toString();
  }
}
