package qtfs.whitelist;

import java.util.List;

/**
 * Fuzz target: whatever a {@code *.policy} file holds, it gives rules that can be asked about any
 * call, the file's own text among the arguments, or what is wrong with it is told in lines.
 */
public final class RexecPoliciesFuzz {
  private static final String DIGEST = "0123456789abcdef".repeat(4);

  private RexecPoliciesFuzz() {}

  /** Called by the fuzzer, and for each kept input by {@link FuzzCorpusTest}. */
  public static void fuzzerTestOneInput(byte[] input) {
    List<ProgramRule> rules;
    try {
      rules = RexecPolicies.parse(input, "x.policy", new Problems(Whitelists.FILE));
    } catch (WhitelistException e) {
      FuzzedText.assertIsInLines(e);
      return;
    }
    String text = Utf8.bytes(input);
    for (ProgramRule rule : rules) {
      ProgramRule.Target target =
          new ProgramRule.Target("/usr/bin/tool", "/usr/bin/tool", () -> DIGEST);
      if (!rule.label().startsWith("x.policy[")) {
        throw new AssertionError(rule.label());
      }
      boolean concerned = rule.concerns(target);
      boolean fits = rule.objection(target, 0, List.of("info", text)).isEmpty();
      if (fits && !concerned) {
        throw new AssertionError(rule + " allows what it is not about");
      }
    }
  }
}
