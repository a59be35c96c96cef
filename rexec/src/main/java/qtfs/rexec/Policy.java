package qtfs.rexec;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import qtfs.whitelist.NameSet;
import qtfs.whitelist.ProgramRule;
import qtfs.whitelist.RexecConfig;
import qtfs.whitelist.RexecPolicies;
import qtfs.whitelist.RexecWhitelist;

/**
 * What decides whether a program runs: the whitelist, the rules of policy.d and the configuration,
 * as they were when they were read. Immutable; a reload makes another one, so that each decision is
 * wholly of the old files or wholly of the new.
 *
 * <p>Where a rule is about the program, the rules decide and the whitelist has no say: one of them
 * must allow the call with all its wishes. Where none is, the whitelist decides by the name, and
 * the configuration which wishes are granted.
 */
final class Policy {
  private final RexecWhitelist whitelist;
  private final String whitelistName;
  private final RexecPolicies policies;
  private final RexecConfig config;

  /**
   * @param whitelistName for messages, its path
   */
  Policy(
      RexecWhitelist whitelist, String whitelistName, RexecPolicies policies, RexecConfig config) {
    this.whitelist = whitelist;
    this.whitelistName = whitelistName;
    this.policies = policies;
    this.config = config;
  }

  RexecConfig config() {
    return config;
  }

  /** In a line, what it has been made of. */
  String summary() {
    int rules = policies.rules().size();
    return whitelist.size()
        + " programs in "
        + whitelistName
        + (rules == 0 ? "" : ", " + rules + " rules in policy.d");
  }

  Decision judge(Asked asked) {
    if (asked.bytes() > config.requestBytes()) {
      return new Decision.Refused(
          "rexec_server.conf",
          Refusal.REQUEST_BYTES,
          "asks with " + asked.bytes() + " bytes, " + config.requestBytes() + " are allowed",
          "RequestBytes=" + asked.bytes() + " in [Limits]");
    }
    if (!asked.isText()) {
      return notInWhitelist(asked);
    }
    List<ProgramRule> rules = policies.concerning(asked.target());
    return rules.isEmpty() ? byWhitelist(asked) : byRules(rules, asked);
  }

  private Decision byWhitelist(Asked asked) {
    if (!whitelist.allows(asked.program())) {
      return notInWhitelist(asked);
    }
    @Nullable String user = asked.wishes().user();
    if (user != null && !config.users().contains(user)) {
      return new Decision.Refused(
          "rexec_server.conf",
          Refusal.USER,
          "may not run as " + user,
          "User=" + user + " in [Accept] of rexec_server.conf, or in a rule of policy.d");
    }
    Optional<Decision> refused = judgeSurroundings(asked.wishes(), null);
    return refused.orElseGet(() -> new Decision.Allowed(whitelistName, user, false));
  }

  private Decision notInWhitelist(Asked asked) {
    return new Decision.Refused(
        whitelistName,
        Refusal.NOT_IN_WHITELIST,
        "not in the whitelist",
        "a line " + asked.program() + " in " + whitelistName);
  }

  /** The first rule that allows everything; else what all of them have against it. */
  private Decision byRules(List<ProgramRule> rules, Asked asked) {
    List<String> reasons = new ArrayList<>();
    List<String> labels = new ArrayList<>();
    for (ProgramRule rule : rules) {
      Decision decision = byRule(rule, asked);
      if (decision instanceof Decision.Refused(String label, _, String reason, _)) {
        labels.add(label);
        reasons.add(label + ": " + reason);
      } else {
        return decision;
      }
    }
    return new Decision.Refused(
        String.join(",", labels),
        Refusal.FITS_NO_RULE,
        "fits no rule: " + String.join("; ", reasons),
        "a rule of policy.d that all of it fits");
  }

  private Decision byRule(ProgramRule rule, Asked asked) {
    @Nullable String wished = asked.wishes().user();
    if (wished != null && !rule.users().contains(wished)) {
      return refused(rule, "may not run as " + wished);
    }
    Optional<Decision> refused = judgeSurroundings(asked.wishes(), rule);
    if (refused.isPresent()) {
      return refused.get();
    }
    Optional<String> objection =
        rule.objection(asked.target(), asked.uid(), asked.argumentsAfterName());
    if (objection.isPresent()) {
      return refused(rule, objection.get());
    }
    boolean anybody = wished != null || rule.users().isEmpty();
    @Nullable String user = anybody ? wished : rule.users().getFirst();
    return new Decision.Allowed(rule.label(), user, rule.isAboutTheFile());
  }

  private static Decision refused(ProgramRule rule, String reason) {
    return new Decision.Refused(rule.label(), Refusal.FITS_NO_RULE, reason, "");
  }

  /**
   * What the program is to find around it.
   *
   * @param rule that may accept more variables, if there is one
   */
  private Optional<Decision> judgeSurroundings(Wishes wishes, @Nullable ProgramRule rule) {
    String decider = rule == null ? "rexec_server.conf" : rule.label();
    NameSet additional = rule == null ? config.environment() : rule.environment();
    for (String variable : wishes.environment()) {
      String name = variable.substring(0, variable.indexOf('='));
      if (!accepts(config.environment(), name, variable) && !accepts(additional, name, variable)) {
        return Optional.of(
            new Decision.Refused(
                decider,
                Refusal.VARIABLE,
                "may not be given the variable " + name,
                "Environment=" + name + " in [Accept] of rexec_server.conf, or in a rule"));
      }
    }
    if (wishes.nice() < Math.min(0, config.leastNice())) {
      return Optional.of(
          new Decision.Refused(
              decider,
              Refusal.NICE,
              "may not run with nice " + wishes.nice(),
              "Nice=" + wishes.nice() + " in [Accept] of rexec_server.conf"));
    }
    return Optional.empty();
  }

  /** What makes a program run something else than itself has to be named in full. */
  private static boolean accepts(NameSet names, String name, String variable) {
    return ChildEnvironment.isHarmless(variable) ? names.contains(name) : names.names(name);
  }
}
