package qtfs.rexec;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;

/**
 * What a launcher hands to the agent: everything that the process was started with. Owns the
 * descriptors. Strings are byte strings, a byte in each char.
 *
 * <pre>
 * offset  size
 *      0     8  "rexecag1"
 *      8     4  bytes after the header, at most 128 KiB
 *     12     4  n, descriptors that come with the first byte
 *     16     4  arguments
 *     20     4  0
 *     24    24  inode numbers of the mount, user and pid namespace
 *     48    16  device, major in the upper half, and inode of the root directory
 *     64    4n  the descriptors' numbers in the launcher, ascending
 *  64+4n        the arguments, from argv[0] on, then the variables, each with a NUL at its end
 * </pre>
 *
 * Numbers are little-endian.
 */
record AgentRequest(
    Place place,
    List<String> arguments,
    List<String> environment,
    SortedMap<Integer, Fd> descriptors)
    implements Closeable {
  static final int HEADER_LENGTH = 64;
  static final int MAX_DATA_LENGTH = 128 * 1024;
  static final byte[] MAGIC = "rexecag1".getBytes(ISO_8859_1);

  /** Where a process finds its files: paths and pids of one place are those of another like it. */
  record Place(
      long mountNamespace, long userNamespace, long pidNamespace, long rootDevice, long rootInode) {
    /** This process's. */
    static Place own() throws IOException {
      FileStatus root = FileStatus.of(Path.of("/"));
      return new Place(
          namespace("mnt"), namespace("user"), namespace("pid"), root.device(), root.inode());
    }

    private static long namespace(String name) throws IOException {
      return FileStatus.of(Path.of("/proc/self/ns", name)).inode();
    }
  }

  /** How much follows a header. */
  static int dataLength(byte[] header) throws ProtocolException {
    for (int i = 0; i < MAGIC.length; i++) {
      expect(header[i] == MAGIC[i], "the launcher is of another version");
    }
    int length = littleEndian(header).getInt(8);
    expect(length >= 0 && length <= MAX_DATA_LENGTH, "a request of " + length + " bytes");
    return length;
  }

  /**
   * Reads a request.
   *
   * @param fds that came with it, taken over
   */
  static AgentRequest decode(byte[] header, byte[] data, List<Fd> fds) throws ProtocolException {
    ByteBuffer head = littleEndian(header);
    expect(head.getInt(12) == fds.size(), head.getInt(12) + " descriptors, came " + fds.size());
    int arguments = head.getInt(16);
    List<String> strings = strings(data, 4 * fds.size());
    expect(arguments > 0 && arguments <= strings.size(), "no program");
    Place place =
        new Place(
            head.getLong(24),
            head.getLong(32),
            head.getLong(40),
            head.getLong(48),
            head.getLong(56));
    return new AgentRequest(
        place,
        List.copyOf(strings.subList(0, arguments)),
        List.copyOf(strings.subList(arguments, strings.size())),
        numbered(littleEndian(data), fds));
  }

  private static SortedMap<Integer, Fd> numbered(ByteBuffer data, List<Fd> fds)
      throws ProtocolException {
    SortedMap<Integer, Fd> numbered = new TreeMap<>();
    int last = -1;
    for (Fd fd : fds) {
      int number = data.getInt();
      expect(number > last, "descriptor " + number + " after " + last);
      numbered.put(number, fd);
      last = number;
    }
    return numbered;
  }

  private static List<String> strings(byte[] data, int from) throws ProtocolException {
    expect(from <= data.length, "a request without its descriptors' numbers");
    List<String> strings = new ArrayList<>();
    int start = from;
    for (int i = from; i < data.length; i++) {
      if (data[i] == 0) {
        strings.add(new String(data, start, i - start, ISO_8859_1));
        start = i + 1;
      }
    }
    expect(start == data.length, "a string without its NUL");
    return strings;
  }

  private static ByteBuffer littleEndian(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void expect(boolean condition, String otherwise) throws ProtocolException {
    if (!condition) {
      throw new ProtocolException(otherwise);
    }
  }

  @Override
  public void close() {
    Fd.closeAll(descriptors.values());
  }
}
