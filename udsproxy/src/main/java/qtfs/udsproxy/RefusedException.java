package qtfs.udsproxy;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Errno;

/** What a peer wants and may not have; the message is the reason. */
final class RefusedException extends IOException {
  private static final long serialVersionUID = 1L;

  private final @Nullable String allow;
  private final int errno;

  RefusedException(String message) {
    this(message, null);
  }

  /**
   * A refusal that the operator may turn round.
   *
   * @param allow the whitelist entry that would allow it
   */
  RefusedException(String message, @Nullable String allow) {
    this(message, allow, Errno.EACCES);
  }

  /**
   * A refusal of what could not have been connected to on this host either.
   *
   * @param errno of that
   */
  RefusedException(String message, int errno) {
    this(message, null, errno);
  }

  private RefusedException(String message, @Nullable String allow, int errno) {
    super(message);
    this.allow = allow;
    this.errno = errno;
  }

  /** What a connect on this host would have failed with. */
  int errno() {
    return errno;
  }

  /** The whitelist entry that would allow it; null where none would. */
  @Nullable String allow() {
    return allow;
  }
}
