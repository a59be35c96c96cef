package qtfs.qtcfg;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** Commands of the modern face for the option parser, built without its annotations. */
final class CommandSpecs {
  private CommandSpecs() {}

  /**
   * The program itself.
   *
   * @param examples one a line, what it is for behind it
   */
  static CommandSpec program(Tool tool, String description, String... examples) {
    @Nullable String version = CommandSpecs.class.getPackage().getImplementationVersion();
    CommandSpec spec = CommandSpec.create().name(tool.word());
    spec.version(tool.word() + " " + (version == null ? "(not packaged)" : version));
    spec.usageMessage().synopsisHeading("usage: ");
    spec.usageMessage()
        .header(
            description,
            "",
            Stream.of(examples).map(line -> "  " + line).collect(Collectors.joining("%n")),
            "")
        .footer(
            "",
            "The single letters of the C program are there too: " + tool.word() + " --help",
            "Exit codes: 0 done, 1 no (they differ, not allowed), 64 wrong usage, 65 wrong",
            "file, 66 no such file, 69 no device, 75 try again, 76 the module refuses,",
            "77 no permission.");
    spec.addOption(help());
    spec.addOption(
        OptionSpec.builder("-V", "--version")
            .versionHelp(true)
            .description("Shows the version and exits.")
            .build());
    return spec;
  }

  private static OptionSpec help() {
    return OptionSpec.builder("-h", "--help")
        .usageHelp(true)
        .description("Shows this help and exits.")
        .build();
  }

  /** A command that prints text, or JSON where asked to. */
  static CommandSpec command(String name, String description) {
    CommandSpec spec = CommandSpec.create().name(name);
    spec.usageMessage().description(description).synopsisHeading("usage: ");
    spec.addOption(help());
    return flag(spec, "--json", "Prints one JSON object.");
  }

  /** A command that asks a module. */
  static CommandSpec deviceCommand(String name, String description) {
    CommandSpec spec = command(name, description);
    value(spec, "--role", "client|server", "Whose device; otherwise the one that is there.");
    return value(
        spec, "--device", "PATH", "Another device than /dev/qtfs_client, /dev/qtfs_server.");
  }

  static CommandSpec flag(CommandSpec spec, String name, String description) {
    return spec.addOption(OptionSpec.builder(name).description(description).build());
  }

  static CommandSpec dryRun(CommandSpec spec) {
    return flag(spec, "--dry-run", "Says what it would do, and does not.");
  }

  static CommandSpec value(CommandSpec spec, String name, String label, String description) {
    return spec.addOption(
        OptionSpec.builder(name)
            .arity("1")
            .paramLabel(label)
            .type(String.class)
            .description(description)
            .build());
  }

  static CommandSpec operands(CommandSpec spec, String arity, String label, String description) {
    return spec.addPositional(
        PositionalParamSpec.builder()
            .paramLabel(label)
            .arity(arity)
            .type(List.class)
            .auxiliaryTypes(String.class)
            .hideParamSyntax(true)
            .description(description)
            .build());
  }
}
