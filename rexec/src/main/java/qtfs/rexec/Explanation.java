package qtfs.rexec;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Log;

/** A decision told to the user who asks for it instead of a program's output. */
record Explanation(List<String> lines, int exitCode) {

  /**
   * @param host the name of this one
   */
  static Explanation of(Asked asked, Decision decision, String host) {
    List<String> lines = new ArrayList<>();
    int code =
        switch (decision) {
          case Decision.Allowed(String rule, @Nullable String user, boolean pinned) -> {
            lines.add(asked.program() + ": allowed by " + rule);
            lines.add("  runs as: " + (user == null ? "the server's own user" : user));
            lines.add("  executed: " + (pinned ? "the file that was judged" : "by its path"));
            yield 0;
          }
          case Decision.Refused(String rule, _, String reason, String remedy) -> {
            lines.add(asked.program() + ": refused, " + reason);
            lines.add("  decided by: " + rule);
            if (!remedy.isEmpty()) {
              lines.add("  would allow it: " + remedy);
            }
            yield ExitCode.CANNOT_EXECUTE;
          }
        };
    String called = asked.target().called();
    lines.add("  file: " + (called.isEmpty() ? "not found" : asked.target().real()));
    lines.add("  requester: uid " + asked.uid() + " on " + host);
    return new Explanation(lines, code);
  }

  String text() {
    StringBuilder out = new StringBuilder();
    lines.forEach(line -> out.append(Log.escape(line)).append('\n'));
    return out.toString();
  }
}
