package qtfs.rexec;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import qtfs.linux.Log;

/** What the command lines of the programs have in common. */
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

  /** Where a daemon's socket is; {@link #runDir(CommandLine.ParseResult)} reads it. */
  static OptionSpec runDir() {
    return OptionSpec.builder("--run-dir")
        .paramLabel("DIR")
        .type(Path.class)
        .description("Where the socket is. Default: $REXEC_RUN_DIR, else /var/run/rexec")
        .build();
  }

  static Path runDir(CommandLine.ParseResult options) {
    return options.matchedOptionValue(
        "--run-dir", Path.of(Rexec.runDir(System.getenv("REXEC_RUN_DIR"))));
  }

  /** What a daemon's log looks like; {@link #useLogFormat} obeys it. */
  static OptionSpec logFormat() {
    return OptionSpec.builder("--log-format")
        .paramLabel("FORMAT")
        .type(Log.Format.class)
        .description("text, journal or json. Default: what suits standard error")
        .build();
  }

  static void useLogFormat(CommandLine.ParseResult options) {
    Log.Format format = options.matchedOptionValue("--log-format", null);
    if (format != null) {
      Log.format(format);
    }
  }

  private static String version() {
    @Nullable String version = Commands.class.getPackage().getImplementationVersion();
    return version == null ? "(not packaged)" : version;
  }
}
