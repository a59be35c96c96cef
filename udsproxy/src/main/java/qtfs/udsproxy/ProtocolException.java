package qtfs.udsproxy;

import java.io.IOException;

/**
 * Bytes from a peer or an application that the protocol does not allow; ends that connection only.
 */
final class ProtocolException extends IOException {
  private static final long serialVersionUID = 1L;

  ProtocolException(String message) {
    super(message);
  }
}
