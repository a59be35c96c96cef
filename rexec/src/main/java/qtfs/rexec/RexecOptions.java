package qtfs.rexec;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import qtfs.linux.ByteStrings;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.LinuxException;
import qtfs.whitelist.Durations;

/**
 * What precedes the program on rexec's command line. Only used where the first argument looks like
 * an option: to load an option parser would double the start-up of all other calls.
 *
 * @param arguments the program and its own, none if only help or the version is asked for
 * @param manner what the options say
 * @param help what is asked for instead, null for nothing
 */
record RexecOptions(List<String> arguments, Manner manner, CommandLine.@Nullable ParseResult help) {
  /** What the protocol carries. */
  private static final Duration LONGEST = Duration.ofMillis(Integer.MAX_VALUE);

  private static final String[] EXAMPLES = {
    "Runs a program on the other host as if it ran here.",
    "",
    "  rexec uname -n",
    "  rexec -t vi /etc/hosts",
    "  rexec --cwd /srv --timeout 5m tar c . | tar x",
    ""
  };

  /** Gives the help that is asked for; the exit code. */
  static int answer(CommandLine.ParseResult help) {
    CommandLine commandLine = help.commandSpec().commandLine();
    PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
    commandLine.setOut(out);
    Integer code = CommandLine.executeHelpRequest(help);
    out.flush();
    return code == null ? 0 : code;
  }

  /**
   * Parses a command line.
   *
   * @param caller whose variables and descriptors the options name
   */
  static RexecOptions parse(List<String> arguments, Caller caller)
      throws IOException, RexecException {
    CommandLine commandLine =
        new CommandLine(spec())
            .setStopAtPositional(true)
            .setExpandAtFiles(false)
            .setOverwrittenOptionsAllowed(true);
    try {
      CommandLine.ParseResult result = commandLine.parseArgs(arguments.toArray(new String[0]));
      if (result.isUsageHelpRequested() || result.isVersionHelpRequested()) {
        return new RexecOptions(List.of(), Manner.USUAL, result);
      }
      if (result.hasMatchedOption(Explain.OPTION)) {
        throw new RexecException(ExitCode.OWN_FAILURE, Explain.OPTION + " comes first");
      }
      List<String> program = result.matchedPositionalValue(0, List.of());
      if (program.isEmpty()) {
        throw new RexecException(
            ExitCode.OWN_FAILURE, "no program given; usage: rexec PROGRAM [ARGUMENT...]");
      }
      return new RexecOptions(List.copyOf(program), manner(result, caller), null);
    } catch (CommandLine.ParameterException e) {
      throw new RexecException(ExitCode.OWN_FAILURE, e.getMessage() + "; try rexec --help");
    }
  }

  static CommandSpec spec() {
    CommandSpec spec = Commands.standard("rexec");
    spec.usageMessage().header(EXAMPLES).synopsisHeading("usage: ").sortOptions(false);
    spec.addPositional(
        PositionalParamSpec.builder()
            .paramLabel("PROGRAM [ARGUMENT...]")
            .arity("0..*")
            .type(List.class)
            .auxiliaryTypes(String.class)
            .hideParamSyntax(true)
            .description("As the other host's whitelist has it. After -- it may start with -.")
            .build());
    return spec.addOption(flag("-t", "--tty", "Gives it a terminal. By itself if you sit at one."))
        .addOption(flag("-T", "--no-tty", "Gives it none."))
        .addOption(
            flag(Explain.OPTION, "Says which rule would decide, and runs nothing. Comes first."))
        .addOption(option("--cwd", "DIR", "Starts it in a directory of the other host."))
        .addOption(
            OptionSpec.builder("-e", "--env")
                .paramLabel("NAME[=VALUE]")
                .arity("1")
                .type(List.class)
                .auxiliaryTypes(String.class)
                .description("Sets a variable, or passes one of yours on. More than once.")
                .build())
        .addOption(flag("--clear-env", "Gives it no other variables than those."))
        .addOption(option("--user", "USER", "Runs it as another user of the other host."))
        .addOption(
            option(
                "--timeout",
                "DURATION",
                "Ends it after 500ms, 30, 30s, 5m, 2h: SIGTERM, then SIGKILL; exit code "
                    + ExitCode.TIMED_OUT
                    + "."))
        .addOption(
            option(
                "--kill-grace",
                "DURATION",
                "From SIGTERM to SIGKILL, there and when rexec is killed. Default: 5s"))
        .addOption(option("--nice", "N", "Runs it with this niceness."))
        .addOption(
            OptionSpec.builder("--fd")
                .paramLabel("N")
                .arity("1")
                .type(List.class)
                .auxiliaryTypes(String.class)
                .description(
                    "Passes descriptor N on, a pipe or socket. Files are passed on anyway. More"
                        + " than once.")
                .build())
        .addOption(
            option(
                "--wait",
                "exit|eof",
                "When others keep its output open: does not wait for them, or as long as it takes."
                    + " Default: waits until they are silent for 5s"))
        .addOption(
            flag("--same-signal", "Ends by the signal that ended it, rather than with 128 + n."));
  }

  private static OptionSpec flag(String... namesAndDescription) {
    int names = namesAndDescription.length - 1;
    return OptionSpec.builder(java.util.Arrays.copyOf(namesAndDescription, names))
        .description(namesAndDescription[names])
        .build();
  }

  private static OptionSpec option(String name, String label, String description) {
    return OptionSpec.builder(name)
        .paramLabel(label)
        .arity("1")
        .type(String.class)
        .description(description)
        .build();
  }

  private static Manner manner(CommandLine.ParseResult options, Caller caller)
      throws IOException, RexecException {
    Wishes wishes =
        new Wishes(
            directory(options.matchedOptionValue("--cwd", null)),
            variables(options.matchedOptionValue("--env", List.of()), caller),
            options.hasMatchedOption("--clear-env"),
            options.matchedOptionValue("--user", null),
            nice(options.matchedOptionValue("--nice", "0")),
            duration("--timeout", options.matchedOptionValue("--timeout", null)),
            duration("--kill-grace", options.matchedOptionValue("--kill-grace", "5s")),
            null,
            descriptors(options.matchedOptionValue("--fd", List.of()), caller));
    return new Manner(
        wishes,
        terminal(options),
        waiting(options.matchedOptionValue("--wait", null)),
        options.hasMatchedOption("--same-signal"));
  }

  private static Manner.Terminal terminal(CommandLine.ParseResult options) {
    if (options.hasMatchedOption("--no-tty")) {
      return Manner.Terminal.NONE;
    }
    return options.hasMatchedOption("--tty") ? Manner.Terminal.DEMANDED : Manner.Terminal.OFFERED;
  }

  private static Manner.Wait waiting(@Nullable String value) throws RexecException {
    if (value == null) {
      return Manner.Wait.GRACE;
    }
    return switch (value) {
      case "exit" -> Manner.Wait.EXIT;
      case "eof" -> Manner.Wait.EOF;
      default -> throw wrong("--wait", value, "is neither exit nor eof");
    };
  }

  private static @Nullable String directory(@Nullable String value) throws RexecException {
    if (value != null && !value.startsWith("/")) {
      throw wrong("--cwd", value, "does not begin with /: it is a directory of the other host");
    }
    return value;
  }

  private static int nice(String value) throws RexecException {
    try {
      int nice = Integer.parseInt(value);
      if (nice >= Wishes.LEAST_NICE && nice <= Wishes.MOST_NICE) {
        return nice;
      }
    } catch (NumberFormatException e) {
      // said below
    }
    throw wrong(
        "--nice", value, "is no number from " + Wishes.LEAST_NICE + " to " + Wishes.MOST_NICE);
  }

  private static @Nullable Duration duration(String option, @Nullable String value)
      throws RexecException {
    if (value == null) {
      return null;
    }
    Duration duration = Durations.parse(value).orElse(LONGEST.plusMillis(1));
    if (duration.compareTo(LONGEST) > 0 || (option.equals("--timeout") && duration.isZero())) {
      throw wrong(option, value, "is no duration like 500ms, 30, 30s, 5m or 2h, at most 24 days");
    }
    return duration;
  }

  private static List<String> variables(List<String> values, Caller caller)
      throws IOException, RexecException {
    List<String> variables = new ArrayList<>();
    for (String value : values) {
      if (value.isEmpty() || value.startsWith("=")) {
        throw wrong("--env", value, "is neither NAME nor NAME=VALUE");
      } else if (value.indexOf('=') > 0) {
        variables.add(value);
      } else {
        addOwn(variables, value, caller);
      }
    }
    return variables;
  }

  /** Adds a variable of the caller; nothing where it is not set. */
  private static void addOwn(List<String> variables, String name, Caller caller)
      throws IOException {
    String own = null;
    for (String variable : caller.variables()) {
      if (variable.startsWith(name + "=")) {
        own = own == null ? variable : own;
      } else if (variable.startsWith("QTFS_" + name + "=")) {
        // What the launcher has changed for the JVM's sake.
        own = variable.substring("QTFS_".length());
      }
    }
    if (own != null) {
      variables.add(own);
    }
  }

  private static List<Integer> descriptors(List<String> values, Caller caller)
      throws RexecException {
    List<Integer> numbers = new ArrayList<>();
    for (String value : values) {
      int number;
      try {
        number = Integer.parseInt(value);
        if (number < FilesJson.MIN_NUMBER || number > FilesJson.MAX_NUMBER) {
          throw wrong("--fd", value, "is not from 3 to " + FilesJson.MAX_NUMBER);
        }
        Fd fd = caller.inherited(number);
        if (fd == null) {
          throw wrong("--fd", value, "is no descriptor that rexec was started with");
        }
        // Regular files are passed on by their names.
        if (!FileStatus.of(fd).isRegular() && !numbers.contains(number)) {
          numbers.add(number);
        }
      } catch (NumberFormatException e) {
        throw wrong("--fd", value, "is no number");
      } catch (LinuxException e) {
        throw wrong("--fd", value, "is no descriptor that rexec was started with");
      }
    }
    return numbers;
  }

  private static RexecException wrong(String option, String value, String why) {
    return new RexecException(
        ExitCode.OWN_FAILURE,
        option + " " + ByteStrings.text(value) + " " + why + "; try rexec --help");
  }
}
