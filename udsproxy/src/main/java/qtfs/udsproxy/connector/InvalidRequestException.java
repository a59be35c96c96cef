package qtfs.udsproxy.connector;

import java.io.IOException;

/** A connect request that breaks the protocol, or a path that no request can carry. */
public final class InvalidRequestException extends IOException {
  private static final long serialVersionUID = 1L;

  InvalidRequestException(String message) {
    super(message);
  }
}
