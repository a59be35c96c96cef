package qtfs.whitelist;

/** What the fuzz targets of this package ask of whatever they are told about a file. */
final class FuzzedText {
  private FuzzedText() {}

  /** A problem a line, and no control characters in any. */
  static void assertIsInLines(WhitelistException e) {
    String message = String.valueOf(e.getMessage());
    long lines = message.lines().count();
    if (e.problems().isEmpty() || lines != e.problems().size() || !isClean(message)) {
      throw new AssertionError(e);
    }
  }

  private static boolean isClean(String message) {
    for (int i = 0; i < message.length(); i++) {
      char c = message.charAt(i);
      if (c != '\n' && (c < ' ' || c == 0x7f)) {
        return false;
      }
    }
    return true;
  }
}
