package qtfs.linux;

import java.io.IOException;

/** A system call that failed: which one, on what, and with which error number. */
public final class LinuxException extends IOException {
  private static final long serialVersionUID = 1L;

  private final int errno;

  public LinuxException(String what, int errno) {
    super(what + ": " + Errno.message(errno));
    this.errno = errno;
  }

  /** The error number, one of {@link Errno} or another of the kernel's. */
  public int errno() {
    return errno;
  }

  /**
   * Checks a result in the kernel's convention.
   *
   * @param result not negative, or {@code -errno}
   * @param what the call and its object, for the message
   * @return the result
   */
  static long check(long result, String what) throws LinuxException {
    if (result < 0) {
      throw new LinuxException(what, (int) -result);
    }
    return result;
  }

  /** Checks the result of a call that returns {@code int}. */
  static int check(int result, String what) throws LinuxException {
    return (int) check((long) result, what);
  }
}
