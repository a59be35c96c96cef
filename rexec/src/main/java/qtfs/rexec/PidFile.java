package qtfs.rexec;

import java.io.Closeable;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.LinuxException;
import qtfs.linux.LockFile;

/**
 * The file by which a manager finds the remote process of a local one: named with this process's
 * number, holding the remote one in decimal, locked for as long as this process runs.
 *
 * <p>A file that nobody holds locked belongs to a process that was killed, and anybody may remove
 * it. Closing removes the file and lets the lock go; from any thread, more than once.
 */
final class PidFile implements Closeable {
  /** A sweeper that holds a file for a moment may be one that waits for a processor. */
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  private static final long PAUSE_NANOS = 100_000;

  private final File file;
  private final LockFile lock;

  private PidFile(File file, LockFile lock) {
    this.file = file;
    this.lock = lock;
  }

  /**
   * Makes the run directory and in it that of the files, mode 0700 under a umask of 077. Before the
   * server is asked for: the stand-in for its socket goes into the run directory, too.
   *
   * @return the directory of the files
   */
  static File makeDirectory(String runDir) {
    File dir = new File(runDir, "pids");
    boolean ignored = new File(runDir).mkdir();
    ignored = dir.mkdir();
    return dir;
  }

  /** Removes the files that nobody holds. */
  static void sweep(File dir) {
    String[] names = dir.list();
    for (String name : names == null ? new String[0] : names) {
      if (isNumber(name)) {
        sweepOne(new File(dir, name));
      }
    }
  }

  private static boolean isNumber(String name) {
    for (int i = 0; i < name.length(); i++) {
      if (name.charAt(i) < '0' || name.charAt(i) > '9') {
        return false;
      }
    }
    return !name.isEmpty();
  }

  private static void sweepOne(File file) {
    try (Fd fd = Fd.open(file.getPath(), Fd.O_RDWR | Fd.O_NONBLOCK, 0)) {
      if (LockFile.tryLock(fd)) {
        boolean ignored = file.delete();
      }
    } catch (LinuxException e) {
      // Gone, or no file of ours.
    }
  }

  /** Writes the file of this process, mode 0600. */
  static PidFile write(File dir, int ownPid, int remotePid) throws IOException {
    File file = new File(dir, Integer.toString(ownPid));
    Path path = file.toPath();
    for (Deadline deadline = Deadline.after(PATIENCE); !deadline.isOver(); ) {
      Optional<LockFile> lock = LockFile.tryAcquire(path);
      if (lock.isEmpty()) {
        // A sweeper holds what a dead process of this number has left, to remove it right now.
        LockSupport.parkNanos(PAUSE_NANOS);
      } else if (isAt(lock.get().fd(), path)) {
        writeNumber(lock.get().fd(), remotePid);
        return new PidFile(file, lock.get());
      } else {
        // Removed by a sweeper before it was locked.
        lock.get().close();
      }
    }
    throw new IOException(file + " is locked by another process");
  }

  private static boolean isAt(Fd fd, Path path) throws LinuxException {
    try {
      return FileStatus.ofLink(path).sameFile(FileStatus.of(fd));
    } catch (LinuxException e) {
      if (e.errno() == Errno.ENOENT) {
        return false;
      }
      throw e;
    }
  }

  private static void writeNumber(Fd fd, int number) throws LinuxException {
    byte[] text = Integer.toString(number).getBytes(StandardCharsets.US_ASCII);
    // Cut first: a longer number of a dead process would show behind this one.
    try (Fd empty = fd.reopen(Fd.O_WRONLY | Fd.O_TRUNC);
        Arena arena = Arena.ofConfined()) {
      MemorySegment segment = arena.allocateFrom(ValueLayout.JAVA_BYTE, text);
      long written = empty.write(segment, text.length);
      if (written != text.length) {
        throw new LinuxException("write", written < 0 ? (int) -written : Errno.ENOSPC);
      }
    }
  }

  @Override
  public void close() {
    if (lock.fd().isOpen()) {
      boolean ignored = file.delete();
      lock.close();
    }
  }
}
