package qtfs.rexec;

import org.jspecify.annotations.Nullable;

/** Whether a request is granted, and what decided it. */
sealed interface Decision {
  /** For a log: the rule's label, or the whitelist's path. */
  String rule();

  /**
   * Granted.
   *
   * @param user as whom the program runs, null for the server's own
   * @param pinned whether the file that was judged has to be executed, whatever its path has become
   */
  record Allowed(String rule, @Nullable String user, boolean pinned) implements Decision {}

  /**
   * Not granted.
   *
   * @param kind of the reason
   * @param reason in words that follow the program's name
   * @param remedy what would allow it, for the operator
   */
  record Refused(String rule, Refusal kind, String reason, String remedy) implements Decision {}
}
