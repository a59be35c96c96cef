package qtfs.qtcfg;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import qtfs.whitelist.Group;

/** Which of the two modules a device belongs to: on the DPU the client, on the host the server. */
public enum Role {
  CLIENT("/dev/qtfs_client", List.of(Group.UDSCONNECT)),
  SERVER(
      "/dev/qtfs_server",
      List.of(
          Group.OPEN,
          Group.WRITE,
          Group.READ,
          Group.READDIR,
          Group.MKDIR,
          Group.RMDIR,
          Group.CREATE,
          Group.UNLINK,
          Group.RENAME,
          Group.SETATTR,
          Group.SETXATTR,
          Group.MOUNT,
          Group.KILL,
          Group.UDSCONNECT));

  private final String devicePath;

  @SuppressWarnings("ImmutableEnumChecker") // made by List.of
  private final List<Group> groups;

  Role(String devicePath, List<Group> groups) {
    this.devicePath = devicePath;
    this.groups = groups;
  }

  /** Where the module makes its device. */
  public String devicePath() {
    return devicePath;
  }

  /** The lists that the module keeps; a group's index is its type number. */
  public List<Group> groups() {
    return groups;
  }

  /** The module's own name, for messages. */
  String module() {
    return this == CLIENT ? "qtfs" : "qtfs_server";
  }

  /** The role of that name in any case. */
  static Optional<Role> named(String word) {
    return Arrays.stream(values()).filter(role -> role.word().equalsIgnoreCase(word)).findFirst();
  }

  /** As it is written on a command line. */
  String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
