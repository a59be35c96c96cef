package qtfs.rexec;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.LinuxException;

/**
 * The client's inherited files, opened on this host at the positions that they had there. Owns
 * their descriptors.
 *
 * <p>Regular files only, and never created or cut: the name is first resolved to a file that is not
 * opened (O_PATH), since to open a device or a FIFO could block or set something off, and then that
 * same file is opened.
 *
 * @param opened by their numbers in the program
 * @param problems a line for each file that cannot be there
 */
record ReopenedFiles(SortedMap<Integer, Fd> opened, List<String> problems) implements Closeable {
  private static final int KEPT_FLAGS =
      Fd.O_ACCMODE | Fd.O_APPEND | Fd.O_NONBLOCK | Fd.O_SYNC | Fd.O_DSYNC;

  static ReopenedFiles open(List<InheritedFile> files) {
    ReopenedFiles reopened = new ReopenedFiles(new TreeMap<>(), new ArrayList<>());
    for (InheritedFile file : files) {
      try {
        reopened.opened.put(file.number(), open(file));
      } catch (IOException e) {
        reopened.problems.add("descriptor " + file.number() + ": " + e.getMessage());
      }
    }
    return reopened;
  }

  private static Fd open(InheritedFile file) throws IOException {
    try (Fd name = Fd.open(file.path(), Fd.O_PATH, 0)) {
      FileStatus status = FileStatus.of(name);
      if (!status.isRegular()) {
        throw new IOException(file.path() + " is a " + status.kind() + ", not a regular file");
      }
      Fd fd = reopen(file, name);
      try {
        fd.position(file.offset());
        return fd;
      } catch (IOException e) {
        fd.close();
        throw e;
      }
    }
  }

  private static Fd reopen(InheritedFile file, Fd name) throws IOException {
    try {
      return name.reopen(file.flags() & KEPT_FLAGS);
    } catch (LinuxException e) {
      throw new LinuxException("open " + file.path(), e.errno());
    }
  }

  @Override
  public void close() {
    Fd.closeAll(opened.values());
  }
}
