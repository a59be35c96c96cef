package qtfs.rexec;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The environment of the programs: the server's own, without what makes a program load or execute
 * something else than itself, and without what was meant for the server alone. Nothing of it comes
 * from the client.
 */
final class ChildEnvironment {
  private static final List<String> PREFIXES =
      List.of("LD_", "BASH_FUNC_", "QTFS_", "REXEC_", "LISTEN_", "WATCHDOG_");

  private static final Set<String> NAMES =
      Set.of(
          "BASH_ENV",
          "ENV",
          "IFS",
          "GCONV_PATH",
          "JAVA_TOOL_OPTIONS",
          "JDK_JAVA_OPTIONS",
          "_JAVA_OPTIONS",
          "PYTHONPATH",
          "PYTHONSTARTUP",
          "PERL5LIB",
          "PERL5OPT",
          "RUBYOPT",
          "RUBYLIB",
          "NODE_OPTIONS",
          // systemd's to its service
          "NOTIFY_SOCKET",
          "JOURNAL_STREAM",
          "INVOCATION_ID");

  /** A shell function, which old shells would define on start. */
  private static final String FUNCTION = "() {";

  private ChildEnvironment() {}

  /** The launcher's note of a variable that it has changed for the JVM: prefix and name. */
  private static final String CHANGED = "QTFS_LC_";

  /**
   * What is passed on.
   *
   * @param own {@code NAME=value} each, byte strings
   */
  static List<String> of(List<String> own) {
    List<String> passed = new ArrayList<>();
    for (String variable : own) {
      if (isHarmless(variable)) {
        passed.add(variable);
      }
    }
    restoreLocale(own, passed);
    return passed;
  }

  private static void restoreLocale(List<String> own, List<String> passed) {
    for (String variable : own) {
      if (variable.startsWith(CHANGED)) {
        String original = variable.substring("QTFS_".length());
        String nameAndEquals = original.substring(0, original.indexOf('=') + 1);
        passed.removeIf(other -> other.startsWith(nameAndEquals));
        if (original.length() > nameAndEquals.length()) {
          passed.add(original);
        }
      }
    }
  }

  /** Whether a variable, {@code NAME=value}, makes no program do something else. */
  static boolean isHarmless(String variable) {
    int equals = variable.indexOf('=');
    if (equals <= 0) {
      return false;
    }
    String name = variable.substring(0, equals);
    return !NAMES.contains(name)
        && PREFIXES.stream().noneMatch(name::startsWith)
        && !variable.startsWith(FUNCTION, equals + 1);
  }

  /** A program's environment with a client's wishes: the last variable of a name counts. */
  static List<String> with(Wishes wishes, List<String> usual) {
    Map<String, String> variables = new LinkedHashMap<>();
    for (String variable : wishes.clearEnvironment() ? List.<String>of() : usual) {
      variables.put(name(variable), variable);
    }
    if (wishes.terminal() != null && !wishes.terminal().type().isEmpty()) {
      variables.put("TERM", "TERM=" + wishes.terminal().type());
    }
    for (String variable : wishes.environment()) {
      variables.put(name(variable), variable);
    }
    return List.copyOf(variables.values());
  }

  private static String name(String variable) {
    return variable.substring(0, variable.indexOf('='));
  }
}
