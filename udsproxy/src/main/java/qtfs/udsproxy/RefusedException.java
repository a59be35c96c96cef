package qtfs.udsproxy;

import java.io.IOException;

/** What a peer wants and may not have; the message is the reason and what would allow it. */
final class RefusedException extends IOException {
  private static final long serialVersionUID = 1L;

  RefusedException(String message) {
    super(message);
  }
}
