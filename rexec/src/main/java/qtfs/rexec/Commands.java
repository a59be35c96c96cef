package qtfs.rexec;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** What the command lines of both programs have in common. */
final class Commands {
  private Commands() {}

  /** A command with --help and --version. */
  static CommandSpec standard(String name) {
    return CommandSpec.create()
        .name(name)
        .version(name + " " + version())
        .addOption(
            OptionSpec.builder("-h", "--help")
                .usageHelp(true)
                .description("Shows this help and exits.")
                .build())
        .addOption(
            OptionSpec.builder("-V", "--version")
                .versionHelp(true)
                .description("Shows the version and exits.")
                .build());
  }

  private static String version() {
    @Nullable String version = Commands.class.getPackage().getImplementationVersion();
    return version == null ? "(not packaged)" : version;
  }
}
