package qtfs.rexec;

import org.jspecify.annotations.Nullable;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.LinuxException;

/**
 * Bytes on their way from one descriptor to another until the source ends or the sink breaks. Then
 * the one of the two that is a pipe to the program is closed: so its end travels on.
 */
interface Copy {
  /** Begins; once. */
  void start();

  /** Lets go of the pipe, if it has not begun and is not going to. */
  void abandon();

  /** Waits for its end, but not for ever. */
  void awaitEnd(int millis) throws InterruptedException;

  boolean isDone();

  /** Whether any byte came. */
  boolean anything();

  /** How many bytes have been read. */
  long moved();

  /** Whether it waits for somebody to take bytes. */
  boolean isWriting();

  /** Why it ended early, null unless that is worth a line. */
  @Nullable String failure();

  /**
   * Whether a write has failed because nobody reads any more, which is no fault of anybody's: as a
   * terminal answers, too, that was hung up.
   */
  static boolean isUnread(@Nullable Fd sink, int errno) {
    return errno == Errno.EPIPE
        || errno == Errno.ECONNRESET
        || (errno == Errno.EIO && sink != null && isCharacterDevice(sink));
  }

  private static boolean isCharacterDevice(Fd fd) {
    try {
      return FileStatus.of(fd).isCharacterDevice();
    } catch (LinuxException e) {
      return false;
    }
  }
}
