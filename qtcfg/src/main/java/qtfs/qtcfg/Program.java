package qtfs.qtcfg;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import qtfs.linux.ByteStrings;

/**
 * What both main methods do: take the options that say which device is meant, then hand the line to
 * one of the two faces. The C programs' face loads neither option parser nor JSON: it is to answer
 * as fast as they do.
 */
final class Program {
  private static final String ROLE = "--role";
  private static final String DEVICE = "--device";

  private final Tool tool;
  private final Console console = new Console();
  private @Nullable Role role;
  private @Nullable String path;

  Program(Tool tool) {
    this.tool = tool;
  }

  /** Runs the program and ends the process. */
  void runAndExit(String[] args) {
    int code = run(args);
    if (Boolean.getBoolean("qtfs.training")) {
      // The build makes the AOT cache, which a halted JVM may not write.
      System.exit(code);
    }
    Runtime.getRuntime().halt(code);
  }

  private int run(String[] args) {
    try {
      int code = run(new ArrayList<>(ByteStrings.ofMain(args)));
      console.flush();
      return console.isBroken() && code == 0 ? ExitCode.IO_ERROR : code;
    } catch (UsageException e) {
      console.error(tool.word() + ": " + ByteStrings.of(String.valueOf(e.getMessage())));
      return ExitCode.USAGE;
    } catch (IOException | RuntimeException | Error e) {
      console.error(tool.word() + ": " + ByteStrings.of(e.toString()));
      return ExitCode.SOFTWARE;
    }
  }

  private int run(List<String> arguments) throws UsageException {
    takeDeviceOptions(arguments);
    ProxySockets proxy = ProxySockets.in(System.getenv("QTFS_RUN_DIR"));
    DeviceChoice choice = new DeviceChoice(role, path);
    if (!arguments.isEmpty() && tool.isWord(arguments.get(0))) {
      return ModernFace.run(tool, arguments, choice, proxy, console);
    }
    String program =
        CalledAs.word(System.getProperty("qtfs.argv0", tool.word()), System.getenv("PATH"));
    boolean posixlyCorrect = System.getenv("POSIXLY_CORRECT") != null;
    return new ShortOptions(tool, program, choice, proxy, console).run(arguments, posixlyCorrect);
  }

  /** Removes them from the front of the line; further back they belong to the command. */
  private void takeDeviceOptions(List<String> arguments) throws UsageException {
    while (!arguments.isEmpty()) {
      String first = arguments.get(0);
      if (isOption(first, ROLE)) {
        role = role(value(arguments, ROLE));
      } else if (isOption(first, DEVICE)) {
        path = ByteStrings.text(value(arguments, DEVICE));
      } else {
        return;
      }
    }
  }

  private static boolean isOption(String argument, String option) {
    return argument.equals(option) || argument.startsWith(option + "=");
  }

  private static String value(List<String> arguments, String option) throws UsageException {
    String first = arguments.remove(0);
    if (first.length() > option.length()) {
      return first.substring(option.length() + 1);
    }
    if (arguments.isEmpty()) {
      throw new UsageException(option + " needs a value");
    }
    return arguments.remove(0);
  }

  private static Role role(String word) throws UsageException {
    return Role.named(word)
        .orElseThrow(
            () -> new UsageException("--role " + word + ": the roles are client and server"));
  }
}
