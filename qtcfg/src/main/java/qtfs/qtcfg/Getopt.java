package qtfs.qtcfg;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The options of a command line one by one, as getopt(3) of glibc finds them: single letters that
 * may be glued together, an argument glued to its letter or following it, operands anywhere between
 * the options, and {@code --} as the end of the options.
 *
 * <p>The letters are described as there: {@code x} without an argument, {@code x:} with one, {@code
 * x::} with one that can only be glued. With POSIXLY_CORRECT the first operand ends the options.
 */
final class Getopt {
  /** What {@link #next} found. */
  sealed interface Found {}

  /**
   * An option.
   *
   * @param argument null if it has none
   */
  record Option(char letter, @Nullable String argument) implements Found {}

  /** Something that is no option, or one without its argument; {@code what} is getopt's message. */
  record Mistake(String what) implements Found {}

  /** No further option. */
  record End() implements Found {}

  private final String letters;
  private final List<String> arguments;
  private final boolean operandEnds;
  private int next;
  private String cluster = "";
  private int inCluster;

  /**
   * @param operandEnds whether the environment has POSIXLY_CORRECT
   */
  Getopt(String letters, List<String> arguments, boolean operandEnds) {
    this.letters = letters;
    this.arguments = arguments;
    this.operandEnds = operandEnds;
  }

  Found next() {
    if (inCluster == cluster.length()) {
      if (!findCluster()) {
        return new End();
      }
    }
    char letter = cluster.charAt(inCluster++);
    int at = letter == ':' || letter == ';' ? -1 : letters.indexOf(letter);
    if (at < 0) {
      return new Mistake("invalid option -- '" + letter + "'");
    }
    return withArgument(letter, colons(at));
  }

  private boolean findCluster() {
    while (next < arguments.size()) {
      String argument = arguments.get(next);
      if (argument.equals("--") || (operandEnds && isOperand(argument))) {
        return false;
      }
      next++;
      if (!isOperand(argument)) {
        cluster = argument;
        inCluster = 1;
        return true;
      }
    }
    return false;
  }

  private static boolean isOperand(String argument) {
    return argument.length() < 2 || argument.charAt(0) != '-';
  }

  private int colons(int at) {
    return letters.startsWith("::", at + 1) ? 2 : letters.startsWith(":", at + 1) ? 1 : 0;
  }

  private Found withArgument(char letter, int colons) {
    if (colons == 0) {
      return new Option(letter, null);
    }
    if (inCluster < cluster.length()) {
      String glued = cluster.substring(inCluster);
      inCluster = cluster.length();
      return new Option(letter, glued);
    }
    if (colons == 2) {
      return new Option(letter, null);
    }
    return next < arguments.size()
        ? new Option(letter, arguments.get(next++))
        : new Mistake("option requires an argument -- '" + letter + "'");
  }

  /** The argument behind the last option, whatever it is; null at the end of the line. */
  @Nullable String following() {
    return next < arguments.size() ? arguments.get(next) : null;
  }
}
