package qtfs.udsproxy;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;
import qtfs.linux.Log;

/** The part of a command line that is about the log: its format, and how much of it. */
public final class LogOptions {
  private static final String FORMAT = "--log-format";
  private static final String LEVEL = "--log-level";

  private LogOptions() {}

  /** Lets a command take them. */
  public static void addTo(CommandSpec spec) {
    spec.addOption(
        option(FORMAT, "FORMAT", names(Log.Format.values()) + " (default: what suits stderr)"));
    spec.addOption(option(LEVEL, "LEVEL", names(Log.Level.values()) + " (default info)"));
  }

  private static OptionSpec option(String name, String label, String description) {
    return OptionSpec.builder(name)
        .type(String.class)
        .paramLabel(label)
        .description(description)
        .build();
  }

  private static String names(Enum<?>[] values) {
    return Stream.of(values).map(LogOptions::name).collect(Collectors.joining(", "));
  }

  private static String name(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  /**
   * Sets the format alone, before the command line is parsed: so that what is wrong with it is told
   * in that format too.
   */
  public static void applyEarly(String[] args) {
    List<String> json = List.of(FORMAT, name(Log.Format.JSON));
    for (int i = 0; i < args.length; i++) {
      boolean pair = i > 0 && List.of(args[i - 1], args[i]).equals(json);
      if (pair || args[i].equals(String.join("=", json))) {
        Log.format(Log.Format.JSON);
      }
    }
  }

  /** Sets what the command line says. */
  public static void apply(ParseResult parsed) throws StartException {
    if (parsed.hasMatchedOption(FORMAT)) {
      Log.format(value(parsed, FORMAT, Log.Format.values()));
    }
    if (parsed.hasMatchedOption(LEVEL)) {
      Log.level(value(parsed, LEVEL, Log.Level.values()));
    }
  }

  private static <E extends Enum<E>> E value(ParseResult parsed, String option, E[] values)
      throws StartException {
    String text = parsed.matchedOptionValue(option, "");
    for (E value : values) {
      if (name(value).equals(text)) {
        return value;
      }
    }
    throw new StartException(option + " is \"" + text + "\", must be one of " + names(values));
  }
}
