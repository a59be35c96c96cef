package qtfs.qtcfg;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.Closeable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Optional;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.Ioctl;
import qtfs.linux.LinuxException;

/**
 * An open device of a kernel module, and the requests that qtcfg and qtinfo make of it.
 *
 * <p>The modules answer 0 for yes and +1 for no, without a reason; {@code -errno} only where the
 * call did not reach them. Methods that return an {@code int} return that answer. Not for use by
 * several threads at once.
 */
final class Device implements Closeable {
  private static final int PATH_BUFFER = 4096; // the module writes no NUL
  private static final int LEVEL_BUFFER = 6; // QTFS_LOGLEVEL_STRLEN
  private static final int GUARD = 4096;
  private static final byte UNTOUCHED = (byte) 0xa5;

  private final Fd fd;
  private final Role role;
  private final String path;

  private Device(Fd fd, Role role, String path) {
    this.fd = fd;
    this.role = role;
    this.path = path;
  }

  /** A device that somebody else has opened, and closes. */
  static Device of(Fd fd, Role role, String path) {
    return new Device(fd, role, path);
  }

  static Device open(Role role, String path) throws LinuxException {
    return new Device(Fd.open(path, Fd.O_RDONLY | Fd.O_NONBLOCK, 0), role, path);
  }

  Role role() {
    return role;
  }

  String path() {
    return path;
  }

  /**
   * Adds an entry at the end of a list: 1 if it is there already, or the list is full.
   *
   * @param entry byte string of 1 to 4095 bytes
   */
  int add(int type, String entry) {
    try (Arena arena = Arena.ofConfined()) {
      byte[] bytes = entry.getBytes(ISO_8859_1);
      MemorySegment name = arena.allocate(bytes.length + 1L);
      MemorySegment.copy(bytes, 0, name, JAVA_BYTE, 0, bytes.length);
      return Ioctl.byPointer(
          fd, DeviceRequest.WL_ADD, WlItem.path(type, bytes.length).allocate(arena, name));
    }
  }

  /** Removes an entry; the last one of the list moves to its index. */
  int delete(int type, int index) {
    try (Arena arena = Arena.ofConfined()) {
      return Ioctl.byPointer(
          fd, DeviceRequest.WL_DEL, WlItem.at(type, index).allocate(arena, MemorySegment.NULL));
    }
  }

  /**
   * The entry at an index, a byte string; empty behind the last one.
   *
   * @throws RefusedException if the module could not be asked
   */
  Optional<String> get(int type, int index) throws RefusedException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocate(PATH_BUFFER);
      int answer =
          Ioctl.byPointer(fd, DeviceRequest.WL_GET, WlItem.at(type, index).allocate(arena, name));
      if (answer < 0) {
        throw new RefusedException(answer);
      }
      return answer == 0 ? Optional.of(text(name.toArray(JAVA_BYTE))) : Optional.empty();
    }
  }

  private static String text(byte[] bytes) {
    int length = 0;
    while (length < bytes.length && bytes[length] != 0) {
      length++;
    }
    return new String(bytes, 0, length, ISO_8859_1);
  }

  /**
   * What the module tells of itself.
   *
   * @throws RefusedException if the module says no
   * @throws OtherVersionException if its structure is not the one that we know
   */
  QtInfo info() throws RefusedException, OtherVersionException {
    int size = QtInfo.size(role);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment all = arena.allocate(size + GUARD, 8);
      all.fill(UNTOUCHED);
      int answer = Ioctl.byPointer(fd, DeviceRequest.ALLINFO, all);
      if (answer != 0) {
        throw new RefusedException(answer);
      }
      byte[] bytes = all.toArray(JAVA_BYTE);
      int written = written(bytes);
      if (written != size) {
        throw new OtherVersionException(path, written, size);
      }
      return QtInfo.decode(role, Arrays.copyOf(bytes, size));
    }
  }

  private static int written(byte[] bytes) {
    int length = bytes.length;
    while (length > 0 && bytes[length - 1] == UNTOUCHED) {
      length--;
    }
    return length;
  }

  /** Sets every counter to 0. */
  int clear() {
    return Ioctl.byValue(fd, DeviceRequest.CLEARALL, 0);
  }

  /** Sets the level of the module's log; the module looks at the first five bytes. */
  int logLevel(String level) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocate(LEVEL_BUFFER);
      byte[] bytes = level.getBytes(ISO_8859_1);
      MemorySegment.copy(bytes, 0, name, JAVA_BYTE, 0, Math.min(bytes.length, LEVEL_BUFFER - 1));
      return Ioctl.byPointer(fd, DeviceRequest.LOGLEVEL, name);
    }
  }

  /** Whether files of every kind can be polled, or FIFOs only; the server says no to both. */
  int epollAnyFile(boolean any) {
    return Ioctl.byValue(fd, DeviceRequest.EPOLL_SUPPORT, any ? 1 : 0);
  }

  /**
   * Why a request is not done, as its answer has it: the module gives no reason, but a call that
   * did not reach it has one.
   */
  ToolException refused(String what, int answer) {
    return answer < 0
        ? new ToolException(
            ExitCode.IO_ERROR, path + " refuses " + what + ": " + Errno.message(-answer))
        : new ToolException(ExitCode.PROTOCOL, path + " refuses " + what);
  }

  @Override
  public void close() {
    fd.close();
  }

  /** A module's no, or why it could not be asked. */
  static final class RefusedException extends Exception {
    private static final long serialVersionUID = 1L;

    private final int answer;

    RefusedException(int answer) {
      super(answer < 0 ? Errno.message(-answer) : "the module answered " + answer);
      this.answer = answer;
    }

    /** What the ioctl returned. */
    int answer() {
      return answer;
    }
  }

  /** A device whose structures have other sizes than ours. */
  static final class OtherVersionException extends Exception {
    private static final long serialVersionUID = 1L;

    OtherVersionException(String path, int is, int known) {
      super(
          path
              + " is of another version: its struct qtinfo has "
              + is
              + " bytes, this program knows "
              + known
              + ": install module and programs of one version");
    }
  }
}
