package qtfs.dist;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** What zsh needs to complete one program's command line: a function for each of its commands. */
final class ZshCompletion {
  private static final Map<String, String> ACTIONS =
      Map.of(
          "file", "_files",
          "dir", "_files -/",
          "user", "_users",
          "pid", "_qtfs_pid",
          "signal", "_signals -s",
          "type", "(" + ValueKind.types() + ")",
          "entry", "_qtfs_entry",
          "command", "_command_names -e",
          "exposed", "_qtfs_exposed",
          "session", "_qtfs_session");

  private final StringBuilder functions = new StringBuilder();

  private ZshCompletion() {}

  static String of(String program, String engine) {
    ZshCompletion completion = new ZshCompletion();
    completion.function(program);
    return "#compdef %1$s\n# Made from the option parser of %1$s.\n\n%2$s%3$s\n%4$s \"$@\"\n"
        .formatted(program, completion.functions, engine, name(program));
  }

  private static String name(String words) {
    return "_qtfs_" + words.replace(' ', '_').replace('-', '_');
  }

  private void function(String words) {
    CommandSpec spec = CommandText.spec(words);
    Map<String, CommandSpec> children = CommandText.children(spec);
    List<String> arguments = new ArrayList<>();
    CommandText.options(spec).forEach(option -> arguments.addAll(option(option)));
    List<String> operands = ValueKind.operands(spec);
    if (!children.isEmpty()) {
      arguments.add("'1:command:->command'");
      arguments.add("'*::argument:->rest'");
    } else {
      for (int i = 0; i < operands.size(); i++) {
        boolean more = operands.get(i).endsWith("...");
        String kind = operands.get(i).replace("...", "");
        // With a message about an operand beside it, zsh would list an option and not insert it.
        if (!kind.equals(ValueKind.NOTHING)) {
          arguments.add("'" + (more ? "*" : i + 1) + ":operand:" + action(kind) + "'");
        }
      }
    }
    functions
        .append(name(words))
        .append("() {\n\tlocal curcontext=$curcontext state line\n\tlocal -A opt_args\n")
        .append("\t_arguments -s -S -C \\\n\t\t")
        .append(String.join(" \\\n\t\t", arguments))
        .append('\n');
    if (!children.isEmpty()) {
      dispatch(words, children);
    }
    functions.append("}\n\n");
    children.keySet().forEach(child -> function(words + " " + child));
  }

  private void dispatch(String words, Map<String, CommandSpec> children) {
    functions.append("\tlocal -a commands=(\n");
    children.forEach(
        (child, spec) ->
            functions.append(
                "\t\t'%s:%s'\n".formatted(child, quoted(spec.usageMessage().description()))));
    functions.append(
        "\t)\n\tcase $state in\n\tcommand) _describe -t commands command commands ;;\n");
    functions.append("\trest)\n\t\tcase $words[1] in\n");
    children
        .keySet()
        .forEach(c -> functions.append("\t\t%s) %s ;;\n".formatted(c, name(words + " " + c))));
    functions.append("\t\tesac\n\t\t;;\n\tesac\n");
  }

  private static List<String> option(OptionSpec option) {
    String text = quoted(option.description()).replace("[", "\\[").replace("]", "\\]");
    String value =
        ValueKind.isValued(option)
            ? ":%s:%s"
                .formatted(
                    option.paramLabel().replaceAll("[\\[\\]:|]", " "), action(ValueKind.of(option)))
            : "";
    boolean many = option.isMultiValue();
    return Stream.of(option.names())
        .map(
            name ->
                "'%s%s%s[%s]%s'"
                    .formatted(
                        many ? "*" : "",
                        name,
                        value.isEmpty() ? "" : name.startsWith("--") ? "=" : "+",
                        text,
                        value))
        .toList();
  }

  private static String action(String kind) {
    if (kind.contains("|")) {
      return "(" + kind.replace('|', ' ') + ")";
    }
    return kind.equals("variable")
        ? "_parameters -g \"*export*\""
        : ACTIONS.getOrDefault(kind, " ");
  }

  private static String quoted(String[] description) {
    return Stream.of(description)
        .collect(Collectors.joining(" "))
        .replace("%n", " ")
        .replace("'", "'\\''")
        .replace(":", "\\:");
  }
}
