package qtfs.dist;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * What bash needs to complete one program's command line: a table, and the engine that reads it.
 */
final class BashCompletion {
  private final StringBuilder table = new StringBuilder();

  private BashCompletion() {}

  static String of(String program, String engine) {
    BashCompletion completion = new BashCompletion();
    completion.row(program, "");
    return """
        # bash completion for %1$s, made from its option parser.

        _qtfs_table_%1$s() { # COMMAND: sets what is known of it
        	types='%2$s'
        	first=%3$s
        	case $1 in
        %4$s	esac
        }

        _qtfs_program_%1$s() {
        	local types
        	_qtfs_complete _qtfs_table_%1$s
        }

        complete -F _qtfs_program_%1$s %1$s

        %5$s"""
        .formatted(
            program,
            ValueKind.types(),
            program.equals("rexec") ? "yes" : "",
            completion.table,
            engine);
  }

  private void row(String words, String command) {
    CommandSpec spec = CommandText.spec(words);
    List<OptionSpec> options = CommandText.options(spec);
    Map<String, CommandSpec> children = CommandText.children(spec);
    table.append("\t'").append(command).append("')\n");
    assign("options", options.stream().flatMap(option -> Stream.of(option.names())));
    assign(
        "valued",
        options.stream()
            .filter(ValueKind::isValued)
            .flatMap(each -> Stream.of(each.names()).map(n -> n + "=" + ValueKind.of(each))));
    assign("commands", children.keySet().stream());
    assign("kinds", ValueKind.operands(spec).stream());
    table.append("\t\t;;\n");
    for (String child : children.keySet()) {
      row(words + " " + child, command.isEmpty() ? child : command + " " + child);
    }
  }

  private void assign(String variable, Stream<String> words) {
    String value = words.collect(Collectors.joining(" "));
    table.append("\t\t").append(variable).append("='").append(value).append("'\n");
  }
}
