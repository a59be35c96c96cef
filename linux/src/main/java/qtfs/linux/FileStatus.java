package qtfs.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static qtfs.linux.LinuxException.check;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * What statx(2) tells of a file. statx and not stat, because its structure is the same on every
 * architecture.
 *
 * @param mode type and permission bits, {@code S_IFMT | 07777}
 * @param uid owner
 * @param gid group
 * @param inode number of the file on its device
 * @param device of the file, major in the upper 32 bits
 * @param size in bytes
 * @param node of a device file, the device that it stands for, as {@code device}; else 0
 */
public record FileStatus(
    int mode, int uid, int gid, long inode, long device, long size, long node) {
  private static final MemorySegment STATX = Libc.function("statx");
  private static final int STATX_BASIC_STATS = 0x7ff; // linux/stat.h
  private static final int STATX_SIZE = 256;
  private static final int AT_FDCWD = -100; // linux/fcntl.h
  private static final int AT_SYMLINK_NOFOLLOW = 0x100;
  private static final int AT_EMPTY_PATH = 0x1000;

  // S_IFMT and its values, linux/stat.h
  private static final int TYPE = 0170000;
  private static final int SOCKET = 0140000;
  private static final int REGULAR = 0100000;
  private static final int CHARACTER = 0020000;
  private static final int FIFO = 0010000;
  private static final int DIRECTORY = 0040000;

  /** Of an open file. */
  public static FileStatus of(Fd fd) throws LinuxException {
    return of(fd.number());
  }

  /** Of a descriptor that this process holds but no {@link Fd} owns: an inherited one. */
  public static FileStatus of(int number) throws LinuxException {
    return statx(number, "", AT_EMPTY_PATH, "fd " + number);
  }

  /** Of a path, without following a symbolic link at its end. */
  public static FileStatus ofLink(Path path) throws LinuxException {
    return statx(AT_FDCWD, path.toString(), AT_SYMLINK_NOFOLLOW, path.toString());
  }

  /** Of a path, following symbolic links. */
  public static FileStatus of(Path path) throws LinuxException {
    return statx(AT_FDCWD, path.toString(), 0, path.toString());
  }

  private static FileStatus statx(int dir, String path, int flags, String what)
      throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = Libc.cString(arena, path);
      MemorySegment buf = arena.allocate(STATX_SIZE, 8);
      check(
          Libc.call(STATX, dir, name.address(), flags, STATX_BASIC_STATS, buf.address(), 0),
          "stat " + what);
      // struct statx: u32 mask, blksize; u64 attributes; u32 nlink, uid, gid; u16 mode, pad;
      // u64 ino, size, ...; u32 rdev_major at 128, rdev_minor,
      // dev_major, dev_minor
      return new FileStatus(
          Short.toUnsignedInt(buf.get(JAVA_SHORT, 28)),
          buf.get(JAVA_INT, 20),
          buf.get(JAVA_INT, 24),
          buf.get(JAVA_LONG, 32),
          device(buf.get(JAVA_INT, 136), buf.get(JAVA_INT, 140)),
          buf.get(JAVA_LONG, 40),
          device(buf.get(JAVA_INT, 128), buf.get(JAVA_INT, 132)));
    }
  }

  /** The number of a device. */
  public static long device(int major, int minor) {
    return (long) major << 32 | Integer.toUnsignedLong(minor);
  }

  public boolean isRegular() {
    return (mode & TYPE) == REGULAR;
  }

  public boolean isFifo() {
    return (mode & TYPE) == FIFO;
  }

  public boolean isSocket() {
    return (mode & TYPE) == SOCKET;
  }

  public boolean isCharacterDevice() {
    return (mode & TYPE) == CHARACTER;
  }

  public boolean isDirectory() {
    return (mode & TYPE) == DIRECTORY;
  }

  /** The permission bits, {@code 07777}. */
  public int permissions() {
    return mode & 07777;
  }

  /** Whether both are the same file. */
  public boolean sameFile(FileStatus other) {
    return inode == other.inode && device == other.device;
  }

  /** The kind of file, in a word for a log line. */
  public String kind() {
    return switch (mode & TYPE) {
      case SOCKET -> "socket";
      case REGULAR -> "regular file";
      case CHARACTER -> "character device";
      case FIFO -> "pipe";
      case DIRECTORY -> "directory";
      case 0060000 -> "block device";
      case 0120000 -> "symbolic link";
      default -> "anonymous descriptor";
    };
  }
}
