package qtfs.dist;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import qtfs.linux.Log;
import qtfs.whitelist.Group;

/**
 * How the value of an option, or an operand, can be completed: the label says it. One of the words
 * that the completions' engines know; choices with {@code |} between; {@code -} for nothing.
 */
final class ValueKind {
  static final String NOTHING = "-";

  private static final Map<String, String> BY_LABEL =
      Map.ofEntries(
          Map.entry("FILE", "file"),
          Map.entry("PATH", "file"),
          Map.entry("DIR", "dir"),
          Map.entry("USER", "user"),
          Map.entry("PID", "pid"),
          Map.entry("SIGNAL", "signal"),
          Map.entry("TYPE", "type"),
          Map.entry("PROGRAM", "command"),
          Map.entry("ARGUMENT", "file"),
          Map.entry("NAME=VALUE", "variable"),
          Map.entry("LOCALPATH", "exposed"),
          Map.entry("SPEC", "session"),
          Map.entry("FORMAT", choices(Log.Format.values())),
          Map.entry("LEVEL", choices(Log.Level.values())));

  private ValueKind() {}

  private static String choices(Enum<?>[] values) {
    return Stream.of(values)
        .map(value -> value.name().toLowerCase(Locale.ROOT))
        .collect(Collectors.joining("|"));
  }

  /** The names of the whitelist's groups. */
  static String types() {
    return choices(Group.values()).replace('|', ' ');
  }

  static boolean isValued(OptionSpec option) {
    return option.arity().max() > 0;
  }

  static String of(OptionSpec option) {
    return ofLabel(option.paramLabel());
  }

  /** Of each operand in its order; the last ends in three dots if there may be more of it. */
  static List<String> operands(CommandSpec spec) {
    List<String> kinds = new ArrayList<>();
    for (PositionalParamSpec operand : spec.positionalParameters()) {
      for (String label : operand.paramLabel().split(" ")) {
        String kind =
            "del".equals(spec.name()) && label.contains("PATH") ? "entry" : ofLabel(label);
        kinds.add(label.contains("...") ? kind + "..." : kind);
      }
    }
    return kinds;
  }

  private static String ofLabel(String label) {
    String plain = label.replaceAll("[\\[\\]<>.]", "");
    boolean chosen = plain.matches("[a-z0-9]+(\\|[a-z0-9]+)+");
    return chosen ? plain : BY_LABEL.getOrDefault(plain, NOTHING);
  }
}
