package qtfs.dist;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import qtfs.engine.Engine;
import qtfs.qtcfg.Qtcfg;
import qtfs.qtcfg.Qtinfo;
import qtfs.rexec.RexecAgent;
import qtfs.rexec.RexecCommand;
import qtfs.rexec.RexecServer;
import qtfs.udsproxy.Udsproxyd;

/** What the programs' own option parsers know of their command lines. */
final class CommandText {
  private static final Map<String, Supplier<CommandSpec>> PROGRAMS =
      Map.of(
          "udsproxyd", Udsproxyd::commandSpec,
          "engine", Engine::commandSpec,
          "rexec", RexecCommand::spec,
          "rexec_agent", RexecAgent::commandSpec,
          "rexec_server", RexecServer::commandSpec,
          "qtcfg", Qtcfg::commandSpec,
          "qtinfo", Qtinfo::commandSpec);

  private CommandText() {}

  /** The names of all programs. */
  static List<String> programs() {
    return PROGRAMS.keySet().stream().sorted().toList();
  }

  /** A command: a program's name, or that and names of its commands. */
  static CommandSpec spec(String words) {
    String[] names = words.split(" ");
    Supplier<CommandSpec> program = PROGRAMS.get(names[0]);
    if (program == null) {
      throw new IllegalArgumentException("there is no program " + names[0]);
    }
    CommandLine command = new CommandLine(program.get());
    for (int i = 1; i < names.length; i++) {
      command = Objects.requireNonNull(command.getSubcommands().get(names[i]), words);
    }
    return command.getCommandSpec();
  }

  /** The command line, and those of its commands, a line each. */
  static List<String> synopsis(String words) {
    List<String> all = new ArrayList<>();
    CommandSpec spec = spec(words);
    if (!spec.positionalParameters().isEmpty() || spec.subcommands().isEmpty() || hasOwn(spec)) {
      all.add("`" + words + "` [*option* ...]" + operands(spec));
    }
    children(spec).keySet().forEach(name -> all.addAll(synopsis(words + " " + name)));
    return all;
  }

  private static boolean hasOwn(CommandSpec spec) {
    return options(spec).stream().anyMatch(o -> !o.usageHelp() && !o.versionHelp());
  }

  private static String operands(CommandSpec spec) {
    return spec.positionalParameters().stream()
        .map(each -> " *" + each.paramLabel().replaceAll("^<|>$", "") + "*")
        .collect(Collectors.joining());
  }

  static Map<String, CommandSpec> children(CommandSpec spec) {
    Map<String, CommandSpec> children = new TreeMap<>();
    spec.subcommands().forEach((name, command) -> children.put(name, command.getCommandSpec()));
    return children;
  }

  static List<OptionSpec> options(CommandSpec spec) {
    return spec.options().stream()
        .filter(option -> !option.hidden())
        .sorted(Comparator.comparing(CommandText::longest))
        .toList();
  }

  static String longest(OptionSpec option) {
    return option.longestName();
  }

  /** Operands and options, each with what it means. */
  static void options(String words, Troff troff) {
    CommandSpec spec = spec(words);
    for (PositionalParamSpec operand : spec.positionalParameters()) {
      troff.item("*" + operand.paramLabel().replaceAll("^<|>$", "") + "*", description(operand));
    }
    for (OptionSpec option : options(spec)) {
      String names =
          List.of(option.names()).stream()
              .map(name -> "`" + name + "`")
              .collect(Collectors.joining(", "));
      boolean valued = option.arity().max() > 0;
      troff.item(valued ? names + " *" + option.paramLabel() + "*" : names, description(option));
    }
  }

  static String description(ArgSpec argument) {
    return sentence(String.join(" ", argument.description()).replace("%n", " "));
  }

  private static String sentence(String text) {
    String end = text.isEmpty() || text.endsWith(".") ? "" : ".";
    return text.isEmpty() ? text : Character.toUpperCase(text.charAt(0)) + text.substring(1) + end;
  }

  /** Each command of a program, with its operands and options. */
  static void commands(String words, Troff troff) {
    for (Map.Entry<String, CommandSpec> child : children(spec(words)).entrySet()) {
      CommandSpec command = child.getValue();
      troff.subsection(words + " " + child.getKey() + operands(command).replace("*", ""));
      troff.paragraph(String.join(" ", command.usageMessage().description()));
      options(words + " " + child.getKey(), troff);
    }
  }

  /** The help of the single letters. */
  static List<String> letters(String program) {
    return switch (program) {
      case "qtcfg" -> Qtcfg.letters().lines().toList();
      case "qtinfo" -> Qtinfo.letters().lines().toList();
      default -> throw new IllegalArgumentException(program + " has no single letters");
    };
  }
}
