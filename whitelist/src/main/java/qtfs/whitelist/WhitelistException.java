package qtfs.whitelist;

import java.util.List;
import java.util.stream.Collectors;

/**
 * A whitelist that cannot be used: everything that is wrong with it, at once.
 *
 * <p>The message has one line for each problem, fit for an operator as it is.
 */
public final class WhitelistException extends Exception {
  private static final long serialVersionUID = 1L;

  private final transient List<Problem> problems;

  WhitelistException(List<Problem> problems) {
    super(problems.stream().map(Problem::toString).collect(Collectors.joining("\n")));
    this.problems = List.copyOf(problems);
  }

  /** At least one: those of the file as a whole, then in the order of its lines. */
  public List<Problem> problems() {
    return problems;
  }
}
