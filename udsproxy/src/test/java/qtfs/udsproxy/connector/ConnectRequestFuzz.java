package qtfs.udsproxy.connector;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Arrays;
import qtfs.linux.UnixSocket;

/**
 * Fuzz target: the bytes that an application sends to {@code remote_uds.sock} are a request whose
 * path is the very bytes that came, and which is written as it is read, or an {@link
 * InvalidRequestException}; a text is a request that is read as it was written, or the same.
 */
public final class ConnectRequestFuzz {
  private ConnectRequestFuzz() {}

  /** Called by the fuzzer, and for each kept input by {@code FuzzCorpusTest}. */
  public static void fuzzerTestOneInput(byte[] input) {
    ofBytes(input);
    ofText(new String(input, UTF_8));
  }

  private static void ofBytes(byte[] input) {
    ConnectRequest request;
    try {
      request = ConnectRequest.decode(input);
    } catch (InvalidRequestException e) {
      return;
    }
    byte[] path = request.path().getBytes(UTF_8);
    byte[] came =
        Arrays.copyOfRange(
            input, ConnectRequest.PATH_OFFSET, ConnectRequest.PATH_OFFSET + path.length);
    if (!Arrays.equals(path, came)) {
      throw new AssertionError(request + " is not what came");
    }
    assertIsReadAsWritten(request, Mark.of(input));
  }

  private static void ofText(String text) {
    for (UnixSocket.Type type : UnixSocket.Type.values()) {
      try {
        assertIsReadAsWritten(ConnectRequest.of(type, text), Mark.CONNECTOR);
      } catch (InvalidRequestException e) {
        return;
      }
    }
  }

  private static void assertIsReadAsWritten(ConnectRequest request, Mark mark) {
    byte[] written = request.encode(mark);
    boolean room = request.path().getBytes(UTF_8).length < 100;
    try {
      if (!ConnectRequest.decode(written).equals(request)
          || (room && Mark.of(written) != mark)
          || (!room && Mark.of(written) != Mark.NONE)) {
        throw new AssertionError(request + " with " + mark + " and " + Mark.of(written));
      }
    } catch (InvalidRequestException e) {
      throw new AssertionError(request.toString(), e);
    }
  }
}
