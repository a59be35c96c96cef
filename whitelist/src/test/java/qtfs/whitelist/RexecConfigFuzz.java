package qtfs.whitelist;

/**
 * Fuzz target: whatever {@code rexec_server.conf} holds, it gives limits within their ranges, or
 * what is wrong with it is told in lines.
 */
public final class RexecConfigFuzz {
  private RexecConfigFuzz() {}

  /** Called by the fuzzer, and for each kept input by {@link FuzzCorpusTest}. */
  public static void fuzzerTestOneInput(byte[] input) {
    RexecConfig config;
    try {
      config = RexecConfig.parse(input, new Problems(Whitelists.FILE));
    } catch (WhitelistException e) {
      FuzzedText.assertIsInLines(e);
      return;
    }
    if (!within(config.leastNice(), -20, 19)
        || !within(config.programs(), 1, 100_000)
        || !within(config.programsPerUser(), 1, 100_000)
        || !within(config.requestBytes(), 4096, 1 << 20)
        || config.killGrace().isNegative()
        || config.users().contains("")) {
      throw new AssertionError(config);
    }
  }

  private static boolean within(int number, int least, int most) {
    return number >= least && number <= most;
  }
}
