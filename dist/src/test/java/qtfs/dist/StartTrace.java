package qtfs.dist;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The system calls of a program that runs in a JVM, from its start on: which of them are its own
 * and not those of the shell and the JVM before them.
 */
final class StartTrace {
  private static final Pattern CALL = Pattern.compile("(\\d+) +(\\w+)\\(.*");

  private StartTrace() {}

  /** What strace is told, to write such a trace. */
  static List<String> options(Set<String> calls) {
    List<String> options = new ArrayList<>(Strace.options(String.join(",", calls)));
    options.add("--seccomp-bpf");
    return options;
  }

  /**
   * The main thread's own calls by their number in that thread, but for those of a number that the
   * process's first thread reaches too: it would be the JVM's start that fails.
   *
   * @param first what the first own call names
   */
  static Map<String, Set<Integer>> own(Path trace, String first) throws IOException {
    Map<String, Map<String, Integer>> counts = new HashMap<>();
    Map<String, Set<Integer>> own = new TreeMap<>();
    String process = null;
    String main = null;
    for (String line : Files.readAllLines(trace)) {
      Matcher call = CALL.matcher(line);
      if (!call.matches()) {
        continue;
      }
      String thread = call.group(1);
      process = process == null ? thread : process;
      if (main == null && !thread.equals(process) && line.contains(first)) {
        main = thread;
      }
      int number =
          counts
              .computeIfAbsent(thread, _ -> new HashMap<>())
              .merge(call.group(2), 1, Integer::sum);
      if (thread.equals(main)) {
        own.computeIfAbsent(call.group(2), _ -> new TreeSet<>()).add(number);
      }
    }
    Map<String, Integer> ofTheFirst =
        counts.getOrDefault(Objects.requireNonNull(process, "no calls"), Map.of());
    own.forEach((call, numbers) -> numbers.removeIf(n -> n <= ofTheFirst.getOrDefault(call, 0)));
    own.values().removeIf(Set::isEmpty);
    return own;
  }
}
