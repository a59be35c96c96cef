package qtfs.udsproxy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import qtfs.linux.Log;
import qtfs.whitelist.Group;
import qtfs.whitelist.QtfsWhitelist;

/** What differs between two whitelists, a line an entry. Immutable. */
record WhitelistChanges(List<String> added, List<String> removed) {
  static WhitelistChanges between(QtfsWhitelist before, QtfsWhitelist now) {
    return new WhitelistChanges(onlyIn(now, before), onlyIn(before, now));
  }

  private static List<String> onlyIn(QtfsWhitelist one, QtfsWhitelist other) {
    List<String> lines = new ArrayList<>();
    for (Group group : Group.values()) {
      List<String> entries = new ArrayList<>(one.entries(group));
      entries.removeAll(other.entries(group));
      entries.forEach(entry -> lines.add(group.line(entry)));
    }
    return lines;
  }

  /** Writes them to the log. */
  void tell(Path file) {
    added.forEach(line -> Log.info("+ " + line));
    removed.forEach(line -> Log.info("- " + line));
    Log.info(file + " read again: " + added.size() + " added, " + removed.size() + " removed");
  }
}
