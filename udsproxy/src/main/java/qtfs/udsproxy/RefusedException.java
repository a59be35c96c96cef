package qtfs.udsproxy;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** What a peer wants and may not have; the message is the reason. */
final class RefusedException extends IOException {
  private static final long serialVersionUID = 1L;

  private final @Nullable String allow;

  RefusedException(String message) {
    this(message, null);
  }

  /**
   * A refusal that the operator may turn round.
   *
   * @param allow the whitelist entry that would allow it
   */
  RefusedException(String message, @Nullable String allow) {
    super(message);
    this.allow = allow;
  }

  /** The whitelist entry that would allow it; null where none would. */
  @Nullable String allow() {
    return allow;
  }
}
