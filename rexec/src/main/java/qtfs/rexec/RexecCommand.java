package qtfs.rexec;

import picocli.CommandLine.Model.CommandSpec;

/**
 * The command line of {@link Rexec}, apart from it: the JVM loads every class that the methods of a
 * main class name, and calls without options need no option parser.
 */
public final class RexecCommand {
  private RexecCommand() {}

  /** All that the program understands, for manual pages and completions. */
  public static CommandSpec spec() {
    return RexecOptions.spec();
  }
}
