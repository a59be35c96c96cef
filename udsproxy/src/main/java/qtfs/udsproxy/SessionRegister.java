package qtfs.udsproxy;

import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The sessions that there are now. For any thread; a list of them does not stop any of them. */
final class SessionRegister {
  private final Set<SessionEntry> entries = ConcurrentHashMap.newKeySet();

  void add(SessionEntry entry) {
    entries.add(entry);
  }

  void remove(SessionEntry entry) {
    entries.remove(entry);
  }

  /** All of them as they are now, the oldest first. */
  List<SessionInfo> list() {
    return entries.stream()
        .map(SessionEntry::info)
        .sorted(Comparator.comparingLong(SessionInfo::number))
        .toList();
  }
}
