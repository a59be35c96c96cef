package qtfs.linux;

import static qtfs.linux.LinuxException.check;

import java.io.Closeable;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Optional;

/** A file held under {@code flock(LOCK_EX)}: who holds it is the only one. Closing lets it go. */
public final class LockFile implements Closeable {
  private static final MemorySegment FLOCK = Libc.function("flock");
  // linux/file.h
  private static final int LOCK_EX = 2;
  private static final int LOCK_NB = 4;

  private final Fd fd;

  private LockFile(Fd fd) {
    this.fd = fd;
  }

  /**
   * Makes the file if it is missing, mode 0600, and takes the lock without waiting.
   *
   * @return empty if somebody else holds it
   */
  public static Optional<LockFile> tryAcquire(Path path) throws LinuxException {
    Fd fd = Fd.open(path.toString(), Fd.O_RDWR | Fd.O_CREAT, 0600);
    try {
      if (tryLock(fd)) {
        return Optional.of(new LockFile(fd));
      }
    } catch (LinuxException e) {
      fd.close();
      throw e;
    }
    fd.close();
    return Optional.empty();
  }

  /** Takes the lock of an open file without waiting; false if somebody else holds it. */
  public static boolean tryLock(Fd fd) throws LinuxException {
    long result = Libc.call(FLOCK, fd.number(), LOCK_EX | LOCK_NB);
    if (result == -Errno.EAGAIN) {
      return false;
    }
    check(result, "flock " + fd);
    return true;
  }

  /** The open file, owned by this lock. */
  public Fd fd() {
    return fd;
  }

  @Override
  public void close() {
    fd.close();
  }
}
