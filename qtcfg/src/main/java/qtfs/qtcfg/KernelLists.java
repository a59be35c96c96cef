package qtfs.qtcfg;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import qtfs.whitelist.Group;

/**
 * The lists of a kernel module as they were at one moment; entries are byte strings in the order of
 * their indexes.
 */
record KernelLists(Map<Group, List<String>> entries) {
  private static final int ATTEMPTS = 3;

  /**
   * Reads all lists of a module.
   *
   * <p>The module gives them out entry by entry, and one that is deleted meanwhile is replaced by
   * the last: so they are read until two readings agree.
   *
   * @throws ToolException if they never do, or cannot be read
   */
  static KernelLists read(Device device) throws ToolException {
    KernelLists before = once(device);
    for (int i = 0; i < ATTEMPTS; i++) {
      KernelLists after = once(device);
      if (after.equals(before)) {
        return after;
      }
      before = after;
    }
    throw changing(device);
  }

  /** Somebody else is at work. */
  static ToolException changing(Device device) {
    return new ToolException(
        ExitCode.TEMPORARY,
        device.path() + ": the lists change meanwhile, somebody else works on them: try again");
  }

  /** What could not be asked of the module. */
  static ToolException unreadable(Device device, Device.RefusedException cause) {
    return new ToolException(
        ExitCode.IO_ERROR, device.path() + ": the lists cannot be read: " + cause.getMessage());
  }

  private static KernelLists once(Device device) throws ToolException {
    Map<Group, List<String>> entries = new EnumMap<>(Group.class);
    List<Group> groups = device.role().groups();
    try {
      for (int type = 0; type < groups.size(); type++) {
        entries.put(groups.get(type), list(device, type));
      }
    } catch (Device.RefusedException e) {
      throw unreadable(device, e);
    }
    return new KernelLists(entries);
  }

  private static List<String> list(Device device, int type) throws Device.RefusedException {
    List<String> list = new ArrayList<>();
    Optional<String> entry = device.get(type, 0);
    while (entry.isPresent() && list.size() <= WlItem.MAX_INDEX) {
      list.add(entry.get());
      entry = list.size() <= WlItem.MAX_INDEX ? device.get(type, list.size()) : Optional.empty();
    }
    return list;
  }

  List<String> of(Group group) {
    return entries.getOrDefault(group, List.of());
  }
}
