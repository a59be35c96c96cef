package qtfs.qtcfg;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;
import qtfs.linux.ByteStrings;

/**
 * Command lines that start with a word: {@code qtcfg diff}. The option parser is loaded for these
 * only.
 */
final class ModernFace {
  /** What a word does. */
  interface Command {
    /** Returns the exit code. */
    int run(Invocation invocation) throws ToolException;
  }

  private ModernFace() {}

  static int run(
      Tool tool, List<String> arguments, DeviceChoice choice, ProxySockets proxy, Console console) {
    CommandSpec spec = tool == Tool.QTCFG ? QtcfgCommands.spec() : QtinfoCommands.spec();
    spec.addSubcommand("help", new CommandLine(new CommandLine.HelpCommand()));
    CommandLine commandLine = new CommandLine(spec).setExpandAtFiles(false);
    StringWriter help = new StringWriter();
    commandLine.setOut(new PrintWriter(help)).setErr(new PrintWriter(help));
    try {
      ParseResult line = commandLine.parseArgs(arguments.toArray(new String[0]));
      if (CommandLine.executeHelpRequest(line) != null) {
        console.print(ByteStrings.of(help.toString()));
        return ExitCode.OK;
      }
      ParseResult command = line.subcommand();
      Map<String, Command> commands =
          tool == Tool.QTCFG ? QtcfgCommands.commands() : QtinfoCommands.commands();
      Command meant = commands.get(command.commandSpec().name());
      if (meant == null) {
        throw new IllegalStateException("no command " + command.commandSpec().name());
      }
      return meant.run(new Invocation(command, choice, proxy, console));
    } catch (CommandLine.ParameterException e) {
      console.error(tool.word() + ": " + e.getMessage() + "; try " + tool.word() + " help");
      return ExitCode.USAGE;
    } catch (ToolException e) {
      String.valueOf(e.getMessage())
          .lines()
          .forEach(text -> console.error(tool.word() + ": " + ByteStrings.of(text)));
      return e.exitCode();
    }
  }
}
