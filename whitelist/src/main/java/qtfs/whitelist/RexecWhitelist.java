package qtfs.whitelist;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Set;

/**
 * What {@code /etc/rexec/whitelist} allows: the programs that a peer may run, one a line.
 *
 * <p>A program is allowed if a line equals {@code argv[0]} as the client sent it: {@code kill} and
 * {@code /usr/bin/kill} are two. There are no comments: the line {@code # x} allows a program of
 * that name. Immutable, and never empty.
 */
public final class RexecWhitelist {
  // The C server takes no more of either.
  static final int MOST_ENTRIES = 256;
  static final int MOST_LINE_BYTES = 254;
  private static final int MOST_BYTES = 1 << 20; // the table, and room for blank lines

  private static final String BLANK = " \t\r\f\u000b";

  private final Set<String> programs;

  private RexecWhitelist(Set<String> programs) {
    this.programs = Set.copyOf(programs);
  }

  /**
   * Reads the file.
   *
   * @throws WhitelistException if it is missing or empty, somebody else could have written it, or
   *     anything in it is wrong
   */
  public static RexecWhitelist load(Path file) throws WhitelistException {
    Problems problems = new Problems(file);
    byte[] bytes = new GuardedFile(file, problems).read(MOST_BYTES, howToMake(file));
    return parse(bytes, problems);
  }

  private static String howToMake(Path file) {
    return "make it with: install -D -m 0400 /dev/null "
        + file
        + ", and write into it the programs that a peer may run, one a line";
  }

  static RexecWhitelist parse(byte[] bytes, Problems problems) throws WhitelistException {
    Set<String> programs = new HashSet<>();
    int number = 0;
    int entries = 0;
    for (String line : Utf8.bytes(bytes).split("\n", -1)) {
      number++;
      String entry = trimEnd(line);
      if (entry.isEmpty()) {
        continue;
      }
      if (++entries == MOST_ENTRIES + 1) {
        problems.add(number, 0, "more than " + MOST_ENTRIES + " programs: remove those from here");
      }
      check(entry, number, problems);
      Utf8.decode(entry).ifPresent(programs::add);
    }
    if (entries == 0) {
      problems.add("has no entry, so that nothing could be run: name programs, one a line");
    }
    problems.throwIfAny();
    return new RexecWhitelist(programs);
  }

  private static void check(String entry, int line, Problems problems) {
    for (int i = 0; i < entry.length(); i++) {
      char c = entry.charAt(i);
      if (c < ' ' || c == 0x7f) {
        String code = HexFormat.of().toHexDigits((byte) c);
        problems.add(line, i + 1, "control character 0x" + code + ": remove it");
      }
    }
    if (Utf8.decode(entry).isEmpty()) {
      problems.add(line, 1, "not UTF-8: " + Utf8.show(entry));
    }
    if (entry.length() > MOST_LINE_BYTES) {
      problems.add(
          line,
          MOST_LINE_BYTES + 1,
          "has "
              + entry.length()
              + " bytes, and at most "
              + MOST_LINE_BYTES
              + " count: shorten it");
    }
  }

  private static String trimEnd(String line) {
    int end = line.length();
    while (end > 0 && BLANK.indexOf(line.charAt(end - 1)) >= 0) {
      end--;
    }
    return line.substring(0, end);
  }

  /** Whether the program may be run, by the name that the client gave it. */
  public boolean allows(String argv0) {
    return programs.contains(argv0);
  }

  /** How many programs. */
  public int size() {
    return programs.size();
  }
}
