package qtfs.whitelist;

import java.util.List;
import java.util.Optional;

/**
 * One {@code Arguments=} line: a pattern for each argument after {@code argv[0]}, in order.
 *
 * @param written as in the file
 * @param rest whether further arguments may follow: the line ended in {@code ...}
 */
record ArgumentList(String written, List<ArgumentPattern> patterns, boolean rest) {

  /** Why the arguments do not fit, in words; empty if they do. */
  Optional<String> mismatch(List<String> arguments) {
    for (int i = 0; i < patterns.size(); i++) {
      if (i == arguments.size()) {
        return Optional.of("argument " + (i + 1) + " is missing");
      }
      if (!patterns.get(i).matches(arguments.get(i))) {
        return Optional.of(
            "argument " + (i + 1) + " is " + Visible.escape(Utf8.show(arguments.get(i))));
      }
    }
    if (!rest && arguments.size() > patterns.size()) {
      int first = patterns.size();
      String extra = Visible.escape(Utf8.show(arguments.get(first)));
      return Optional.of("argument " + (first + 1) + " is one too many, " + extra);
    }
    return Optional.empty();
  }
}
