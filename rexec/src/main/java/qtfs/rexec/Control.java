package qtfs.rexec;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import qtfs.linux.Audit;
import qtfs.linux.Errno;
import qtfs.linux.Log;
import qtfs.linux.ProcessGroup;

/**
 * The answers to an operator's lines: {@code ps}, {@code status}, {@code kill PID SIGNAL}, each
 * behind {@code json} or {@code text}. An answer begins with a line that is 0, or 1 where it is a
 * no. Any thread.
 */
final class Control {
  private static final Map<String, Integer> SIGNALS =
      Map.of(
          "HUP", 1, "INT", 2, "QUIT", 3, "KILL", 9, "USR1", 10, "USR2", 12, "TERM", 15, "CONT", 18,
          "STOP", 19);

  private final ServerContext context;

  Control(ServerContext context) {
    this.context = context;
  }

  String answer(String line) {
    String[] words = line.strip().split(" +");
    boolean json = words[0].equals("json");
    List<String> command = List.of(words).subList(1, words.length);
    return switch (command.isEmpty() ? "" : command.getFirst()) {
      case "ps" -> yes(json ? ControlText.json(context) : ControlText.table(context));
      case "status" -> yes(json ? ControlText.statusJson(context) : ControlText.status(context));
      case "kill" -> kill(command.subList(1, command.size()));
      default -> no("no such command: ps, status, kill PID [SIGNAL]");
    };
  }

  private static String yes(String text) {
    return "0\n" + text;
  }

  private static String no(String text) {
    return "1\n" + text + "\n";
  }

  private String kill(List<String> words) {
    Optional<Integer> signal = signal(words.size() > 1 ? words.get(1) : "TERM");
    if (signal.isEmpty()) {
      return no("no signal: " + words.get(1));
    }
    for (RunningPrograms.Listed listed : context.running().list()) {
      if (!words.isEmpty() && words.getFirst().equals(Integer.toString(listed.program().pid()))) {
        return kill(listed.program(), signal.get());
      }
    }
    return no("no program of rexec_server has the pid " + String.join(" ", words));
  }

  private static String kill(ProgramRecord program, int signal) {
    int result = program.isAlive() ? ProcessGroup.signal(program.pid(), signal) : -Errno.ESRCH;
    Log.audit(
        Audit.of("operator-kill")
            .with("pid", program.pid())
            .with("program", program.program())
            .with("signal", signal)
            .with("outcome", result == 0 ? "sent" : Errno.message(-result)));
    return result == 0 ? yes("") : no(program.pid() + ": " + Errno.message(-result));
  }

  private static Optional<Integer> signal(String word) {
    String name = word.toUpperCase(Locale.ROOT);
    Integer known = SIGNALS.get(name.startsWith("SIG") ? name.substring(3) : name);
    if (known != null) {
      return Optional.of(known);
    }
    try {
      int number = Integer.parseInt(word);
      return number >= 1 && number <= 64 ? Optional.of(number) : Optional.empty();
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }
}
