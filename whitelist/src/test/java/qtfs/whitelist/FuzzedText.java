package qtfs.whitelist;

/** What the fuzz targets of this package ask of whatever they are told about a file. */
final class FuzzedText {
  private FuzzedText() {}

  /** A problem a line, and no control characters in any. */
  static void assertIsInLines(WhitelistException e) {
    String message = String.valueOf(e.getMessage());
    long lines = message.lines().count();
    boolean clean = message.chars().allMatch(c -> c == '\n' || (c >= ' ' && c != 0x7f));
    if (e.problems().isEmpty() || lines != e.problems().size() || !clean) {
      throw new AssertionError(e);
    }
  }
}
