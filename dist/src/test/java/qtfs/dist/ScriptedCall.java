package qtfs.dist;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import qtfs.dist.TwoHosts.Host;

/**
 * The same call again and again, from A to B: standard input there and back, an inherited file, a
 * standard error, an exit code that is no other's.
 *
 * <p>A program that was run and whose output arrived is right. Any other end must be told in one
 * line, and by a code that says that it was not the program's.
 */
final class ScriptedCall {
  /** What {@link #run} gives if nothing was missing. */
  static final String RIGHT = "right";

  private static final String IN = "line of standard input\n".repeat(1000);
  private static final String INHERITED = "text of the inherited file\n";
  private static final int CODE = 7;
  private static final List<Integer> OWN_FAILURES = List.of(125, 126);

  private static final String PROGRAM = "cat; cat <&7 >&2; exit " + CODE;

  private final TwoHosts hosts;
  private final String way;
  private final Path in;
  private final Path inherited;

  /**
   * A call.
   *
   * @param way what is put before rexec, such as assignments to variables
   */
  ScriptedCall(TwoHosts hosts, String way) throws Exception {
    this.hosts = hosts;
    this.way = way;
    this.in = Files.writeString(hosts.shared().resolve("scripted.in"), IN);
    this.inherited = Files.writeString(hosts.shared().resolve("scripted.7"), INHERITED);
  }

  /** Runs it once: {@link #RIGHT}, or what the caller was told instead. */
  String run() throws Exception {
    String call = way + " \"$REXEC\" /bin/sh -c '" + PROGRAM + "' <\"$1\" 7<\"$2\"";
    return judge(hosts.sh(Host.A, call, in.toString(), inherited.toString()));
  }

  private static String judge(Running.Result result) {
    if (result.code() == CODE && result.output().equals(IN) && result.stderr().equals(INHERITED)) {
      return RIGHT;
    }
    List<String> told = result.stderr().lines().filter(line -> line.startsWith("rexec")).toList();
    boolean ofItsOwn = OWN_FAILURES.contains(result.code()) && told.size() == 1;
    if (!ofItsOwn && !(result.code() == CODE && isWithLess(result, told))) {
      throw new AssertionError("neither right nor told: " + result);
    }
    return result.code() + ", " + told.getFirst();
  }

  /** The program has run, without its file or with an input that ended early, and it was told. */
  private static boolean isWithLess(Running.Result result, List<String> told) {
    return told.size() == 1
        && (told.getFirst().contains("standard input")
            || (told.getFirst().contains("descriptor 7") && result.output().equals(IN)));
  }
}
