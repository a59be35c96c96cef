package qtfs.qtcfg;

/** Numbers of a command line. */
final class Numbers {
  private static final int MOST_DIGITS = 9;

  private Numbers() {}

  /**
   * An index of a list: digits only and at most {@value WlItem#MAX_INDEX}; -1 for anything else.
   */
  static int index(String text) {
    if (text.isEmpty() || text.length() > MOST_DIGITS || digits(text, 0) < text.length()) {
      return -1;
    }
    int index = Integer.parseInt(text);
    return index <= WlItem.MAX_INDEX ? index : -1;
  }

  /** The number at the start of a text, 0 if there is none: what atoi(3) makes of it. */
  static int leading(String text) {
    int start = 0;
    while (start < text.length() && isSpace(text.charAt(start))) {
      start++;
    }
    boolean signed = start < text.length() && "+-".indexOf(text.charAt(start)) >= 0;
    int digits = signed ? start + 1 : start;
    int end = digits(text, digits);
    if (end == digits || end - digits > MOST_DIGITS) {
      return 0;
    }
    int number = Integer.parseInt(text.substring(digits, end));
    return signed && text.charAt(start) == '-' ? -number : number;
  }

  private static boolean isSpace(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
  }

  private static int digits(String text, int from) {
    int end = from;
    while (end < text.length() && text.charAt(end) >= '0' && text.charAt(end) <= '9') {
      end++;
    }
    return end;
  }
}
