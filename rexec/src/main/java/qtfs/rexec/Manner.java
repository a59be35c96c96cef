package qtfs.rexec;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * How rexec is to call a program: what its options say.
 *
 * @param wishes for the server; without a terminal yet
 * @param terminal whether the program gets one
 * @param whenToEnd how long the output is waited for once the program has ended
 * @param sameSignal whether rexec ends by the signal that ended the program
 */
record Manner(Wishes wishes, Terminal terminal, Wait whenToEnd, boolean sameSignal) {
  /** Without any option. */
  static final Manner USUAL = new Manner(Wishes.USUAL, Terminal.OFFERED, Wait.GRACE, false);

  /**
   * The options that a server cannot fulfil, as it says with its first message.
   *
   * @param wishes as they were sent
   * @return for a message; empty if there is none
   */
  @SuppressWarnings("ReferenceEquality") // only saves the usual call the time
  String missing(Message.PidMap server, Wishes wishes) {
    if (this == USUAL) {
      return "";
    }
    List<String> missing = new ArrayList<>();
    if (!server.can(Message.PidMap.SURROUNDINGS)) {
      missing.addAll(surroundings());
    }
    if (terminal == Terminal.DEMANDED && !server.can(Message.PidMap.TERMINAL)) {
      missing.add("-t");
    }
    if (!wishes.descriptors().isEmpty() && !server.can(Message.PidMap.DESCRIPTORS)) {
      missing.add("--fd");
    }
    return String.join(", ", missing);
  }

  private List<String> surroundings() {
    List<String> options = new ArrayList<>();
    addIf(options, wishes.cwd() != null, "--cwd");
    addIf(options, !wishes.environment().isEmpty(), "--env");
    addIf(options, wishes.clearEnvironment(), "--clear-env");
    addIf(options, wishes.user() != null, "--user");
    addIf(options, wishes.nice() != 0, "--nice");
    addIf(options, wishes.timeout() != null, "--timeout");
    addIf(options, !Objects.equals(wishes.killGrace(), Wishes.USUAL.killGrace()), "--kill-grace");
    return options;
  }

  private static void addIf(List<String> options, boolean wished, String option) {
    if (wished) {
      options.add(option);
    }
  }

  /** Whether a program gets a terminal. */
  enum Terminal {
    /** If the user sits at one, and the server can. */
    OFFERED,
    DEMANDED,
    NONE
  }

  /** The end of a call whose program has ended, while others keep its output open. */
  enum Wait {
    /** When they have been silent for a while, with a line that says so. */
    GRACE(5000),
    /** When what was on its way is here: across hosts the program's end may overtake its output. */
    EXIT(1000),
    /** When they have let go of it, however long that takes. */
    EOF(-1);

    private final int silenceMillis;

    Wait(int silenceMillis) {
      this.silenceMillis = silenceMillis;
    }

    /** How long they have to be silent; negative for no end of it. */
    int silenceMillis() {
      return silenceMillis;
    }
  }
}
