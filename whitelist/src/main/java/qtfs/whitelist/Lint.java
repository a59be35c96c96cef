package qtfs.whitelist;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Everything that is wrong with a file like {@code /etc/qtfs/whitelist}, or probably not meant.
 *
 * <p>An error is what makes {@link QtfsWhitelist#load} refuse the file. A warning is what it takes
 * and the author may be surprised by: a group that nobody reads, an entry that nothing matches or
 * that says nothing new. Reports all of them at once.
 */
public final class Lint {
  private final Problems remarks;

  private Lint(Problems remarks) {
    this.remarks = remarks;
  }

  /** How bad a finding is. */
  public enum Severity {
    ERROR,
    WARNING
  }

  /** A problem and how bad it is. */
  public record Finding(Severity severity, Problem problem) {

    /** One line: {@code file:line:column: warning: text}. */
    @Override
    public String toString() {
      String text = severity == Severity.ERROR ? problem.text() : "warning: " + problem.text();
      return new Problem(problem.file(), problem.line(), problem.column(), text).toString();
    }
  }

  /** What there is to say about a file, in the order of its lines; nothing if it is fine. */
  public static List<Finding> of(Path file) {
    Problems problems = new Problems(file);
    try {
      byte[] bytes =
          new GuardedFile(file, problems).read(QtfsWhitelist.MOST_BYTES, "name another file");
      return of(file, bytes, problems);
    } catch (WhitelistException e) {
      return findings(e.problems(), List.of());
    }
  }

  /**
   * The same of a file that has been read.
   *
   * @param problems that it has already
   */
  static List<Finding> of(Path file, byte[] bytes, Problems problems) {
    Problems remarks = new Problems(file);
    new Lint(remarks).read(bytes);
    List<Problem> errors = new ArrayList<>();
    try {
      QtfsWhitelist ignored = QtfsWhitelist.parse(bytes, problems);
    } catch (WhitelistException e) {
      errors.addAll(e.problems());
    }
    return findings(errors, remarks.all());
  }

  private static List<Finding> findings(List<Problem> errors, List<Problem> remarks) {
    List<Finding> findings = new ArrayList<>();
    errors.forEach(error -> findings.add(new Finding(Severity.ERROR, error)));
    remarks.forEach(remark -> findings.add(new Finding(Severity.WARNING, remark)));
    findings.sort(
        Comparator.comparingInt((Finding finding) -> finding.problem().line())
            .thenComparingInt(finding -> finding.problem().column()));
    return findings;
  }

  private void read(byte[] bytes) {
    Problems known = new Problems(Path.of("")); // told by the parser
    Map<Group, KeyFile.Value> values = KeyFile.parse(bytes, known, remarks);
    values.forEach((group, value) -> entries(group, value, EntryList.split(value, known)));
    if (!values.containsKey(Group.MOUNT)) {
      remarks.add("has no [Mount] entry, and engine does not start without one");
    }
  }

  private void entries(Group group, KeyFile.Value value, List<EntryList.Entry> entries) {
    Map<String, Integer> seen = new HashMap<>();
    for (EntryList.Entry entry : entries) {
      String text = group.rule().normalize(entry.text());
      boolean duplicate = seen.putIfAbsent(text, entry.column()) != null;
      if (duplicate) {
        remark(value, entry, "is there already");
      } else if (group.rule().fault(entry.text()).isEmpty()) {
        surprise(group, entry.text())
            .or(() -> shadow(group, entry, entries))
            .ifPresent(surprise -> remark(value, entry, surprise));
      }
    }
    if (group == Group.MOUNT && entries.isEmpty()) {
      remarks.add(value.line(), 0, "[Mount] is empty, and engine does not start without an entry");
    }
  }

  private void remark(KeyFile.Value value, EntryList.Entry entry, String text) {
    remarks.add(value.line(), entry.column(), "entry " + Visible.quote(entry.text()) + " " + text);
  }

  private static Optional<String> surprise(Group group, String entry) {
    boolean path = group != Group.KILL;
    if (path && entry.charAt(0) != '/') {
      return Optional.of("is relative: it allows only what is connected to by a relative path");
    }
    if (group == Group.UDSCONNECT && entry.endsWith("/")) {
      return Optional.of("ends in /, so that it allows nothing below it: leave the / off");
    }
    if (path && group != Group.UDSCONNECT && Rule.climbs(entry)) {
      return Optional.of("has a component .., so that nothing matches it: write the path out");
    }
    if (path && entry.contains("//")) {
      return Optional.of("has // in it: text is compared, and paths are seldom written so");
    }
    if (entry.endsWith(" ") || entry.endsWith("\t")) {
      return Optional.of("ends in a blank, which belongs to it");
    }
    return Optional.empty();
  }

  /** Another entry of the group that allows all that this one does. */
  private static Optional<String> shadow(
      Group group, EntryList.Entry entry, List<EntryList.Entry> entries) {
    String text = group.rule().normalize(entry.text());
    return entries.stream()
        .map(other -> group.rule().normalize(other.text()))
        .filter(other -> !other.isEmpty() && other.length() < text.length())
        .filter(other -> group.rule().matches(other, text))
        .findFirst()
        .map(other -> "says nothing that " + Visible.quote(other) + " does not: remove it");
  }
}
