package qtfs.rexec;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a client wants of the program's surroundings: values that cannot be wrong, but that a server
 * need not grant. {@link WishesJson} carries them. Strings are byte strings, a byte in each char.
 *
 * @param cwd absolute directory, null for the server's own
 * @param environment {@code NAME=value} each, in the order given; the last of a name counts
 * @param clearEnvironment whether the program gets nothing of the server's environment
 * @param user to run as, null for the server's own
 * @param nice niceness from {@value #LEAST_NICE} to {@value #MOST_NICE}, 0 for the server's own
 * @param timeout after which the program is ended, null for none
 * @param killGrace between SIGTERM and SIGKILL when the program is ended; null, as from a C client,
 *     for SIGKILL at once
 * @param terminal that the program runs on, null for none
 * @param descriptors numbers above 2 of the descriptors that come with the EXEC message after the
 *     one for standard input, in their order; each once
 */
record Wishes(
    @Nullable String cwd,
    List<String> environment,
    boolean clearEnvironment,
    @Nullable String user,
    int nice,
    @Nullable Duration timeout,
    @Nullable Duration killGrace,
    @Nullable Terminal terminal,
    List<Integer> descriptors) {
  static final int LEAST_NICE = -20;
  static final int MOST_NICE = 19;

  /** What a C client says. */
  static final Wishes NONE =
      new Wishes(null, List.of(), false, null, 0, null, null, null, List.of());

  static final int USUAL_KILL_GRACE_MILLIS = 5000;

  /** What our client says unless told otherwise. */
  static final Wishes USUAL =
      new Wishes(
          null,
          List.of(),
          false,
          null,
          0,
          null,
          Duration.ofMillis(USUAL_KILL_GRACE_MILLIS),
          null,
          List.of());

  Wishes {
    environment = List.copyOf(environment);
    descriptors = List.copyOf(descriptors);
  }

  /**
   * A terminal on the server's side.
   *
   * @param rows lines of the user's terminal, 0 if unknown
   * @param columns of the user's terminal, 0 if unknown
   * @param type of it, the program's TERM; empty if unknown
   * @param stderr whether the program's standard error is the terminal, too
   */
  record Terminal(int rows, int columns, String type, boolean stderr) {}

  /** The same with no longer a grace time than the server has patience. */
  Wishes withKillGraceUpTo(Duration most) {
    return killGrace == null || killGrace.compareTo(most) <= 0
        ? this
        : new Wishes(
            cwd, environment, clearEnvironment, user, nice, timeout, most, terminal, descriptors);
  }

  /** Whether this is {@link #USUAL} itself: the call of most, which must not cost anything. */
  @SuppressWarnings("ReferenceEquality")
  boolean areUsual() {
    return this == USUAL;
  }

  /** The same on a terminal. */
  Wishes on(Terminal newTerminal) {
    return new Wishes(
        cwd,
        environment,
        clearEnvironment,
        user,
        nice,
        timeout,
        killGrace,
        newTerminal,
        descriptors);
  }
}
