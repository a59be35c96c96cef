package qtfs.qtcfg;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import qtfs.linux.ByteStrings;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.whitelist.Group;
import qtfs.whitelist.QtfsWhitelist;

/**
 * The lists of a kernel module, for a program that has its device open. The descriptor stays the
 * program's. Not for use by several threads at once.
 */
public final class ModuleLists {
  private final Device device;

  /** The lists of the module behind a device. */
  public ModuleLists(Fd fd, Role role, Path path) {
    this.device = Device.of(fd, role, path.toString());
  }

  /**
   * Adds every entry of a whitelist, whatever becomes of the others.
   *
   * @return a line for each that the module did not take
   */
  public List<String> fill(QtfsWhitelist whitelist) {
    List<String> complaints = new ArrayList<>();
    List<Group> groups = device.role().groups();
    for (int type = 0; type < groups.size(); type++) {
      for (String entry : whitelist.entries(groups.get(type))) {
        int answer = add(type, ByteStrings.of(entry));
        if (answer != 0) {
          complaints.add(notTaken(groups.get(type), entry, answer));
        }
      }
    }
    return complaints;
  }

  /**
   * Makes the lists equal to a whitelist, as {@code qtcfg load} does.
   *
   * @return a line for each entry that came or went, as in a diff
   * @throws IOException if the module refuses one, or somebody else works on the lists: what has
   *     been changed by then stays
   */
  public List<String> level(QtfsWhitelist whitelist) throws IOException {
    Role role = device.role();
    try {
      return new Leveller(device, false)
          .level(KernelLists.read(device), role.groups(), Leveller.wanted(role, whitelist)).stream()
              .map(change -> ByteStrings.text(change.line()))
              .toList();
    } catch (ToolException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  private int add(int type, String entry) {
    int answer;
    do {
      answer = device.add(type, entry);
    } while (answer == -Errno.EINTR);
    return answer;
  }

  private static String notTaken(Group group, String entry, int answer) {
    String why =
        answer > 0
            ? "it is there already, or the list is full"
            : Errno.message(-answer) + "; a reload tries again";
    return "the kernel module does not take " + group.line(entry) + ": " + why;
  }
}
