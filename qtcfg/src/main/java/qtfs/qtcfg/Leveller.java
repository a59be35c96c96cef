package qtfs.qtcfg;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import qtfs.linux.ByteStrings;
import qtfs.whitelist.Group;
import qtfs.whitelist.QtfsWhitelist;

/**
 * Makes the lists of a module what they are wanted to be.
 *
 * <p>An entry that stays is never touched, so that there is no moment without it. New ones are
 * added before old ones go; only in a full list an old one has to make room first. The last entry
 * of a list moves to the index of a deleted one: old ones are deleted from the highest index down,
 * and each only after a look at what is there. Afterwards the lists are read again.
 *
 * @param dryRun only finds out what would change
 */
record Leveller(Device device, boolean dryRun) {
  static final int MOST_ENTRIES = 64; // QTFS_WL_MAX_NUM

  /** What a whitelist wants of a module, as byte strings. */
  static Map<Group, List<String>> wanted(Role role, QtfsWhitelist whitelist) {
    Map<Group, List<String>> wanted = new EnumMap<>(Group.class);
    for (Group group : role.groups()) {
      wanted.put(group, whitelist.entries(group).stream().map(ByteStrings::of).toList());
    }
    return wanted;
  }

  /** What has to change for {@code now} to become {@code wanted}: first what comes. */
  static List<Change> changes(
      List<Group> groups, KernelLists now, Map<Group, List<String>> wanted) {
    List<Change> changes = new ArrayList<>();
    for (Group group : groups) {
      List<String> goal = wanted.getOrDefault(group, List.of());
      List<String> is = now.of(group);
      goal.stream()
          .filter(path -> !is.contains(path))
          .forEach(path -> changes.add(new Change(Change.Action.ADD, group, path)));
      is.stream()
          .filter(path -> !goal.contains(path))
          .forEach(path -> changes.add(new Change(Change.Action.DELETE, group, path)));
    }
    return changes;
  }

  /**
   * Makes lists equal to these.
   *
   * @param before what the module has
   * @param groups those to look at: nothing else is touched
   * @return what was changed
   */
  List<Change> level(KernelLists before, List<Group> groups, Map<Group, List<String>> wanted)
      throws ToolException {
    List<Change> changes = changes(groups, before, wanted);
    if (dryRun || changes.isEmpty()) {
      return changes;
    }
    for (Group group : groups) {
      level(group, new ArrayList<>(before.of(group)), wanted.getOrDefault(group, List.of()));
    }
    if (!changes(groups, KernelLists.read(device), wanted).isEmpty()) {
      throw KernelLists.changing(device);
    }
    return changes;
  }

  /**
   * @param now what the kernel has, kept in step
   */
  private void level(Group group, List<String> now, List<String> wanted) throws ToolException {
    Set<String> stays = new HashSet<>(wanted);
    for (String path : wanted) {
      if (!now.contains(path)) {
        if (now.size() >= MOST_ENTRIES) {
          delete(group, now, lastOld(now, stays));
        }
        add(group, now, path);
      }
    }
    for (int old = lastOld(now, stays); old >= 0; old = lastOld(now, stays)) {
      delete(group, now, old);
    }
  }

  private static int lastOld(List<String> now, Set<String> stays) {
    int index = now.size() - 1;
    while (index >= 0 && stays.contains(now.get(index))) {
      index--;
    }
    return index;
  }

  private int type(Group group) {
    return device.role().groups().indexOf(group);
  }

  private void add(Group group, List<String> now, String path) throws ToolException {
    int answer = device.add(type(group), path);
    if (answer != 0) {
      throw device.refused(entry(group, path), answer);
    }
    now.add(path);
  }

  private void delete(Group group, List<String> now, int index) throws ToolException {
    if (index < 0 || !at(group, index).equals(Optional.of(now.get(index)))) {
      throw KernelLists.changing(device);
    }
    int answer = device.delete(type(group), index);
    if (answer < 0) {
      throw device.refused("to delete " + entry(group, now.get(index)), answer);
    }
    if (answer > 0) {
      throw KernelLists.changing(device);
    }
    String last = now.removeLast();
    if (index < now.size()) {
      now.set(index, last);
    }
  }

  private Optional<String> at(Group group, int index) throws ToolException {
    try {
      return device.get(type(group), index);
    } catch (Device.RefusedException e) {
      throw KernelLists.unreadable(device, e);
    }
  }

  private static String entry(Group group, String path) {
    return "[" + group.title() + "] " + Shown.text(path);
  }
}
