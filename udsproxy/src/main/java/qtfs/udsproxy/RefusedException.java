package qtfs.udsproxy;

import java.io.IOException;
import qtfs.linux.Errno;

/** What a peer wants and may not have; the message is the reason and what would allow it. */
final class RefusedException extends IOException {
  private static final long serialVersionUID = 1L;

  private final int errno;

  RefusedException(String message) {
    this(message, Errno.EACCES);
  }

  RefusedException(String message, int errno) {
    super(message);
    this.errno = errno;
  }

  /** What a connect on this host would have failed with. */
  int errno() {
    return errno;
  }
}
