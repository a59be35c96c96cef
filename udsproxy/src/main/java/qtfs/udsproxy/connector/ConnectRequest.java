package qtfs.udsproxy.connector;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import qtfs.linux.UnixSocket;

/**
 * The wish to be connected to a socket of the other host, as it is sent to {@code remote_uds.sock}
 * and on to the other daemon. An instance always fits on the wire: its path is absolute, has no NUL
 * and at most {@value #MAX_PATH_BYTES} bytes of UTF-8.
 *
 * <pre>
 * offset  size
 *      0     2  type of socket: 1 STREAM, 2 DGRAM, 5 SEQPACKET, little-endian
 *      2     2  reserved: written 0, not read, since others leave it uninitialised
 *      4   108  sun_path: the path, a NUL, then anything; written 0, or a {@link Mark} at its end
 *    112
 * </pre>
 *
 * @param type of the socket to connect to
 * @param path on the other host
 */
public record ConnectRequest(UnixSocket.Type type, String path) {
  /** Length of every request. */
  public static final int LENGTH = 112;

  /** What is appended to the path for the local socket that stands in for the remote one. */
  public static final String PROXY_SUFFIX = ".proxy";

  /** The longest path that leaves room in {@code sun_path} for the suffix and a NUL. */
  public static final int MAX_PATH_BYTES = 101;

  static final int PATH_OFFSET = 4;

  /** Refuses what no request can carry, with an {@link IllegalArgumentException}. */
  public ConnectRequest {
    String fault = fault(path, path.getBytes(StandardCharsets.UTF_8));
    if (fault != null) {
      throw new IllegalArgumentException(fault);
    }
  }

  /** A request for a path that is not checked yet. */
  public static ConnectRequest of(UnixSocket.Type type, String path)
      throws InvalidRequestException {
    String fault = fault(path, path.getBytes(StandardCharsets.UTF_8));
    if (fault != null) {
      throw new InvalidRequestException(fault);
    }
    return new ConnectRequest(type, path);
  }

  /** The bytes to send, {@value #LENGTH}, all that the path leaves free 0. */
  public byte[] encode() {
    return encode(Mark.NONE);
  }

  /** The bytes to send, {@value #LENGTH}, with a mark if the path leaves room for it. */
  public byte[] encode(Mark mark) {
    byte[] request = new byte[LENGTH];
    request[0] = (byte) type.number();
    byte[] name = path.getBytes(StandardCharsets.UTF_8);
    System.arraycopy(name, 0, request, PATH_OFFSET, name.length);
    mark.put(request);
    return request;
  }

  /**
   * Reads a request.
   *
   * @param request exactly {@value #LENGTH} bytes
   * @throws InvalidRequestException naming what is wrong with it
   */
  public static ConnectRequest decode(byte[] request) throws InvalidRequestException {
    if (request.length != LENGTH) {
      throw new InvalidRequestException(
          "a connect request has " + LENGTH + " bytes, this one " + request.length);
    }
    return of(type(request), path(request));
  }

  private static UnixSocket.Type type(byte[] request) throws InvalidRequestException {
    int number = Byte.toUnsignedInt(request[0]) | Byte.toUnsignedInt(request[1]) << 8;
    for (UnixSocket.Type type : UnixSocket.Type.values()) {
      if (type.number() == number) {
        return type;
      }
    }
    throw new InvalidRequestException(
        "socket type " + number + " is none of 1 (stream), 2 (datagram), 5 (seqpacket)");
  }

  private static String path(byte[] request) throws InvalidRequestException {
    int end = PATH_OFFSET;
    while (end < LENGTH && request[end] != 0) {
      end++;
    }
    if (end == LENGTH) {
      throw new InvalidRequestException("sun_path has no NUL in its 108 bytes");
    }
    try {
      // A decoder of its own, which unlike String refuses: a path is never connected to under
      // another name than the one that was asked for.
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(request, PATH_OFFSET, end - PATH_OFFSET))
          .toString();
    } catch (CharacterCodingException e) {
      throw new InvalidRequestException("sun_path is not valid UTF-8");
    }
  }

  private static @Nullable String fault(String path, byte[] name) {
    if (path.isEmpty()) {
      return "the socket path is empty";
    }
    if (path.charAt(0) != '/') {
      return "the socket path " + path + " does not start with /";
    }
    if (path.indexOf('\0') >= 0) {
      return "the socket path " + path.replace("\0", "\\0") + " contains a NUL";
    }
    if (!new String(name, StandardCharsets.UTF_8).equals(path)) {
      return "the socket path has half a surrogate pair, which has no bytes";
    }
    if (name.length > MAX_PATH_BYTES) {
      return "the socket path "
          + path
          + " has "
          + name.length
          + " bytes: at most "
          + MAX_PATH_BYTES
          + " fit, as the other side of the connection is "
          + PROXY_SUFFIX
          + " longer";
    }
    return null;
  }
}
