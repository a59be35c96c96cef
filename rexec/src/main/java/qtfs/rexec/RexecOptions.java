package qtfs.rexec;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * What precedes the program on rexec's command line. Only used where the first argument looks like
 * an option: to load an option parser would double the start-up of all other calls.
 *
 * @param arguments the program and its own, none if the call is answered
 * @param exitCode of a call that is answered
 */
record RexecOptions(List<String> arguments, int exitCode) {

  /** Whether there is nothing to run: help or the version was asked for. */
  boolean isAnswered() {
    return arguments.isEmpty();
  }

  static RexecOptions parse(List<String> arguments) throws RexecException {
    CommandSpec spec = Commands.standard("rexec");
    spec.usageMessage()
        .description("Runs a program on the other host as if it ran here.")
        .synopsisHeading("usage: ");
    spec.addPositional(
        PositionalParamSpec.builder()
            .paramLabel("PROGRAM [ARGUMENT...]")
            .arity("0..*")
            .type(List.class)
            .auxiliaryTypes(String.class)
            .hideParamSyntax(true)
            .description("As the other host's whitelist has it. After -- it may start with -.")
            .build());
    CommandLine commandLine = new CommandLine(spec).setStopAtPositional(true);
    try {
      CommandLine.ParseResult result = commandLine.parseArgs(arguments.toArray(new String[0]));
      PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
      Integer answered = CommandLine.executeHelpRequest(result);
      out.flush();
      if (answered != null) {
        return new RexecOptions(List.of(), answered);
      }
      List<String> program = result.matchedPositionalValue(0, List.of());
      if (program.isEmpty()) {
        throw new RexecException(
            ExitCode.OWN_FAILURE, "no program given; usage: rexec PROGRAM [ARGUMENT...]");
      }
      return new RexecOptions(List.copyOf(program), 0);
    } catch (CommandLine.ParameterException e) {
      throw new RexecException(ExitCode.OWN_FAILURE, e.getMessage() + "; try rexec --help");
    }
  }
}
