package qtfs.rexec;

import java.io.IOException;

/** Bytes or descriptors that break the protocol between rexec and rexec_server. */
final class ProtocolException extends IOException {
  private static final long serialVersionUID = 1L;

  ProtocolException(String message) {
    super(message);
  }
}
