package qtfs.whitelist;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Fuzz target: whatever a file like {@code /etc/rexec/whitelist} holds, it allows the lines that
 * stand in it and no other names, or what is wrong with it is told in lines.
 */
public final class RexecWhitelistFuzz {
  /** Those of ASCII alone: any other blank is a program's name, as for the C server. */
  private static final Pattern BLANKS = Pattern.compile("[ \\t\\r\\f\\x0b]+\\z");

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
        Stream.of(new String(input, UTF_8).split("\n"))
            .map(line -> BLANKS.matcher(line).replaceFirst(""))
            .distinct()
            .filter(whitelist::allows)
            .count();
    if (allowed != whitelist.size() || allowed == 0 || whitelist.allows("")) {
      throw new AssertionError(allowed + " of " + whitelist.size());
    }
  }
}
