package qtfs.whitelist;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The problems of one file. Keeps the first {@value #MOST} that are found and counts the others, so
 * that a file of garbage costs no more than its size.
 */
final class Problems {
  static final int MOST = 100;

  private final Path file;
  private final List<Problem> first = new ArrayList<>();
  private int others;

  Problems(Path file) {
    this.file = file;
  }

  void add(String text) {
    add(0, 0, text);
  }

  void add(int line, int column, String text) {
    if (first.size() < MOST) {
      first.add(new Problem(file, line, column, text));
    } else {
      others++;
    }
  }

  void throwIfAny() throws WhitelistException {
    if (!first.isEmpty()) {
      throw exception();
    }
  }

  /** Ends with this problem: nothing further can be found. */
  WhitelistException with(String text, Exception cause) {
    add(text);
    WhitelistException e = exception();
    e.initCause(cause);
    return e;
  }

  /** Ends with this problem: nothing further can be found. */
  WhitelistException with(String text) {
    add(text);
    return exception();
  }

  private WhitelistException exception() {
    return new WhitelistException(all());
  }

  /** Those of the file as a whole, then in the order of its lines, then how many more there are. */
  List<Problem> all() {
    List<Problem> all = new ArrayList<>(first);
    all.sort(Comparator.comparingInt(Problem::line).thenComparingInt(Problem::column));
    if (others > 0) {
      all.add(new Problem(file, 0, 0, others + " more problems"));
    }
    return all;
  }
}
