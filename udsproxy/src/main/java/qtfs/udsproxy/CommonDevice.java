package qtfs.udsproxy;

import java.util.Arrays;
import java.util.Optional;
import qtfs.linux.FileStatus;

/**
 * A device that is the same on every Linux host and holds nothing of any: a peer may always have
 * it. Numbers and names from Documentation/admin-guide/devices.txt.
 */
enum CommonDevice {
  NULL(3, "/dev/null"),
  ZERO(5, "/dev/zero");

  private static final int MEMORY = 1; // the major number

  private final long node;
  private final String path;

  CommonDevice(int minor, String path) {
    this.node = FileStatus.device(MEMORY, minor);
    this.path = path;
  }

  String path() {
    return path;
  }

  /** The one with a number, see {@link FileStatus#node}. */
  static Optional<CommonDevice> of(long node) {
    return Arrays.stream(values()).filter(device -> device.node == node).findFirst();
  }
}
