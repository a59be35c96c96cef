package qtfs.qtcfg;

import org.jspecify.annotations.Nullable;
import qtfs.linux.Errno;
import qtfs.linux.LinuxException;

/**
 * Which device a call is about: the one that is there, unless {@code --role} or {@code --device}
 * say otherwise.
 *
 * @param role null to find it out
 * @param path null for the role's own
 */
record DeviceChoice(@Nullable Role role, @Nullable String path) {
  private static final int ENODEV = 19; // asm-generic/errno-base.h: a node without its module

  /** What came of opening it. */
  sealed interface Outcome {
    /** The role, or the best guess at it. */
    Role role();
  }

  /** Open, and the receiver's to close. */
  record Opened(Device device) implements Outcome {
    @Override
    public Role role() {
      return device.role();
    }
  }

  /** Not open, for a reason that the operator can understand. */
  record Failed(Role role, String path, int errno) implements Outcome {
    boolean isAbsent() {
      return DeviceChoice.isAbsent(errno);
    }

    String why() {
      if (isAbsent()) {
        return path + " is not there: load the kernel module " + role.module();
      }
      String reason = path + " cannot be opened: " + Errno.message(errno);
      boolean denied = errno == Errno.EACCES || errno == Errno.EPERM;
      return denied ? reason + ": run this as root" : reason;
    }
  }

  /** Neither device is there. */
  record Absent() implements Outcome {
    @Override
    public Role role() {
      return Role.CLIENT;
    }

    String why() {
      return "neither "
          + Role.CLIENT.devicePath()
          + " nor "
          + Role.SERVER.devicePath()
          + " is there: load the kernel module qtfs (client) or qtfs_server (server)";
    }
  }

  /** It is not clear which is meant. */
  record Unclear(String why) implements Outcome {
    @Override
    public Role role() {
      return Role.SERVER;
    }
  }

  Outcome open() {
    if (role != null) {
      return open(role, path == null ? role.devicePath() : path);
    }
    if (path == null) {
      return openTheOneThatIsThere();
    }
    for (Role named : Role.values()) {
      if (path.endsWith("qtfs_" + named.word())) {
        return open(named, path);
      }
    }
    return new Unclear(path + ": its name does not tell whose it is: add --role client or server");
  }

  private static Outcome openTheOneThatIsThere() {
    Outcome client = open(Role.CLIENT, Role.CLIENT.devicePath());
    Outcome server = open(Role.SERVER, Role.SERVER.devicePath());
    if (isAbsent(client)) {
      return isAbsent(server) ? new Absent() : server;
    }
    if (isAbsent(server)) {
      return client;
    }
    close(client);
    close(server);
    return new Unclear(
        "both "
            + Role.CLIENT.devicePath()
            + " and "
            + Role.SERVER.devicePath()
            + " are there: add --role client or --role server");
  }

  private static void close(Outcome outcome) {
    if (outcome instanceof Opened(Device device)) {
      device.close();
    }
  }

  private static boolean isAbsent(Outcome outcome) {
    return outcome instanceof Failed failed && failed.isAbsent();
  }

  private static boolean isAbsent(int errno) {
    return errno == Errno.ENOENT || errno == Errno.ENXIO || errno == ENODEV;
  }

  private static Outcome open(Role role, String path) {
    try {
      return new Opened(Device.open(role, path));
    } catch (LinuxException e) {
      return new Failed(role, path, e.errno());
    }
  }
}
