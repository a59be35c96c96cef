package qtfs.whitelist;

import static java.nio.charset.StandardCharsets.UTF_8;

/**
 * Fuzz target: whatever a file like {@code /etc/rexec/whitelist} holds, it allows the lines that
 * stand in it and no other names, or what is wrong with it is told in lines.
 */
public final class RexecWhitelistFuzz {
  private RexecWhitelistFuzz() {}

  /** Called by the fuzzer, and for each kept input by {@link FuzzCorpusTest}. */
  public static void fuzzerTestOneInput(byte[] input) {
    RexecWhitelist whitelist;
    try {
      whitelist = RexecWhitelist.parse(input, new Problems(Whitelists.FILE));
    } catch (WhitelistException e) {
      FuzzedText.assertIsInLines(e);
      return;
    }
    long allowed =
        new String(input, UTF_8)
            .lines()
            .map(String::stripTrailing)
            .distinct()
            .filter(whitelist::allows)
            .count();
    if (allowed != whitelist.size() || allowed == 0 || whitelist.allows("")) {
      throw new AssertionError(allowed + " of " + whitelist.size());
    }
  }
}
