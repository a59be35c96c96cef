package qtfs.rexec;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import qtfs.linux.ByteStrings;

/**
 * What a command line of rexec asks for. Called by another name, through a link, it is the program
 * of that name with all arguments as they are.
 *
 * @param arguments the program and its own, byte strings; none if help is asked for
 * @param help null unless it is
 */
record Invocation(List<String> arguments, Manner manner, CommandLine.@Nullable ParseResult help) {
  static final String NAME = "rexec";

  /**
   * Reads a command line.
   *
   * @param argv0 how rexec was called, null for by its own name
   * @param arguments after that
   */
  static Invocation of(@Nullable String argv0, List<String> arguments, Caller caller)
      throws IOException, RexecException {
    String name = calledAs(argv0);
    if (!name.equals(NAME)) {
      return new Invocation(withFirst(ByteStrings.of(name), arguments), Manner.USUAL, null);
    }
    if (arguments.isEmpty()) {
      throw new RexecException(
          ExitCode.OWN_FAILURE, "no program given; usage: rexec PROGRAM [ARGUMENT...]");
    }
    if (arguments.get(0).startsWith("-")) {
      RexecOptions options = RexecOptions.parse(arguments, caller);
      return new Invocation(options.arguments(), options.manner(), options.help());
    }
    return new Invocation(arguments, Manner.USUAL, null);
  }

  /** The name of the link, or of the program itself, that was started. */
  static String calledAs(@Nullable String argv0) {
    return argv0 == null ? NAME : argv0.substring(argv0.lastIndexOf('/') + 1);
  }

  private static List<String> withFirst(String first, List<String> rest) {
    List<String> all = new ArrayList<>();
    all.add(first);
    all.addAll(rest);
    return all;
  }
}
