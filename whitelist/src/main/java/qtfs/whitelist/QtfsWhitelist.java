package qtfs.whitelist;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What {@code /etc/qtfs/whitelist} allows: for each group, entries that paths are held against.
 *
 * <p>Nothing listed, nothing allowed. Immutable. A path is text, decoded from UTF-8 by a decoder
 * that refuses what is none: one that puts U+FFFD in would let two paths look the same. Nothing
 * here looks at the file system: symbolic links are the caller's to resolve.
 */
public final class QtfsWhitelist {
  static final int MOST_ENTRIES = 64; // QTFS_WL_MAX_NUM
  static final int MOST_BYTES = 8 << 20; // every group full, and room for comments

  private static final QtfsWhitelist EMPTY = new QtfsWhitelist(new EnumMap<>(Group.class));

  private final Map<Group, List<String>> entries;

  private QtfsWhitelist(Map<Group, List<String>> entries) {
    this.entries = entries;
  }

  /** Allows nothing. */
  public static QtfsWhitelist empty() {
    return EMPTY;
  }

  /**
   * Reads the file.
   *
   * @throws WhitelistException if it is missing, somebody else could have written it, or anything
   *     in it is wrong: no entry is ever dropped in silence
   */
  public static QtfsWhitelist load(Path file) throws WhitelistException {
    Problems problems = new Problems(file);
    byte[] bytes =
        new GuardedFile(file, problems)
            .read(MOST_BYTES, "make it with: install -D -m 0644 /dev/null " + file);
    return parse(bytes, problems);
  }

  /** Reads the file if it exists; without one nothing is allowed. */
  public static QtfsWhitelist loadIfPresent(Path file) throws WhitelistException {
    return Files.notExists(file, NOFOLLOW_LINKS) ? empty() : load(file);
  }

  static QtfsWhitelist parse(byte[] bytes, Problems problems) throws WhitelistException {
    EnumMap<Group, List<String>> entries = new EnumMap<>(Group.class);
    KeyFile.parse(bytes, problems)
        .forEach((group, value) -> entries.put(group, entries(group, value, problems)));
    problems.throwIfAny();
    return new QtfsWhitelist(entries);
  }

  private static List<String> entries(Group group, KeyFile.Value value, Problems problems) {
    // The kernel modules refuse a duplicate, so that it takes no place of the 64.
    LinkedHashMap<String, EntryList.Entry> distinct = new LinkedHashMap<>();
    for (EntryList.Entry entry : EntryList.split(value, problems)) {
      group
          .rule()
          .fault(entry.text())
          .ifPresent(fault -> problems.add(value.line(), entry.column(), about(entry, fault)));
      distinct.putIfAbsent(group.rule().normalize(entry.text()), entry);
    }
    if (distinct.size() > MOST_ENTRIES) {
      int column = List.copyOf(distinct.values()).get(MOST_ENTRIES).column();
      problems.add(value.line(), column, tooMany(group, distinct.size()));
    }
    return List.copyOf(distinct.keySet());
  }

  private static String about(EntryList.Entry entry, String fault) {
    return "entry " + Visible.quote(entry.text()) + " " + fault;
  }

  private static String tooMany(Group group, int count) {
    return "["
        + group.title()
        + "] has "
        + count
        + " entries, and the kernel modules hold "
        + MOST_ENTRIES
        + ": name directories instead of files";
  }

  /** The text of a file that holds these entries; groups without any are left out. */
  public static String text(Map<Group, List<String>> entries) {
    StringBuilder out = new StringBuilder();
    for (Group group : Group.values()) {
      List<String> list = entries.getOrDefault(group, List.of());
      if (!list.isEmpty()) {
        out.append(out.isEmpty() ? "[" : "\n[").append(group.title()).append("]\nPath=");
        list.forEach(entry -> out.append(EntryList.escape(entry)).append(';'));
        out.append('\n');
      }
    }
    return out.toString();
  }

  /** Whether an entry of the group allows the path; for {@link Group#KILL}, the comm. */
  public boolean allows(Group group, String path) {
    return matchingEntry(group, path).isPresent();
  }

  /** The first entry that allows the path. */
  public Optional<String> matchingEntry(Group group, String path) {
    if (path.indexOf('\0') >= 0) {
      return Optional.empty(); // no system call would see what follows
    }
    return entries(group).stream().filter(entry -> group.rule().matches(entry, path)).findFirst();
  }

  /** The group's entries, in the order of the file, without duplicates. */
  public List<String> entries(Group group) {
    return entries.getOrDefault(group, List.of());
  }
}
