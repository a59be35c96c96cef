package qtfs.udsproxy.connector;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.nio.ByteBuffer;

/**
 * What the last eight bytes of a {@link ConnectRequest} say of its sender, behind the NUL where the
 * deployed programs do not look. A path of 100 or 101 bytes leaves no room for it.
 *
 * <pre>
 * 104  char[4]  QTFC or QTFX
 * 108  u8       version, 1
 * 109  u8       flags; unknown ones are passed over. Of QTFC, 1: takes 2 for an answer
 * 110  u16      0
 * </pre>
 */
public enum Mark {
  /** A deployed program, or no room. */
  NONE(""),

  /**
   * A connector that takes -errno for an answer, and 2 for a connection in the extended dialect. A
   * deployed daemon forwards it to the peer.
   */
  CONNECTOR("QTFC"),

  /** A proxy that speaks the extended dialect. */
  PROXY("QTFX");

  private static final int OFFSET = 104;
  private static final byte VERSION = 1;
  private static final byte TAKES_EXTENDED = 1;

  private final String letters;

  Mark(String letters) {
    this.letters = letters;
  }

  /** The mark of a request, {@value ConnectRequest#LENGTH} bytes. */
  public static Mark of(byte[] request) {
    if (!hasRoom(request) || Byte.toUnsignedInt(request[OFFSET + 4]) < VERSION) {
      return NONE;
    }
    String found = new String(request, OFFSET, 4, ISO_8859_1);
    for (Mark mark : values()) {
      if (found.equals(mark.letters)) {
        return mark;
      }
    }
    return NONE;
  }

  /** Whether a connector wants to know that its connection goes in the extended dialect. */
  public static boolean takesExtended(byte[] request) {
    return of(request) == CONNECTOR && (request[OFFSET + 5] & TAKES_EXTENDED) != 0;
  }

  /** Marks a request that is complete, if its path ends before the place. */
  void put(byte[] request) {
    if (this != NONE && hasRoom(request)) {
      ByteBuffer.wrap(request).put(OFFSET, letters.getBytes(ISO_8859_1));
      request[OFFSET + 4] = VERSION;
      request[OFFSET + 5] = this == CONNECTOR ? TAKES_EXTENDED : 0;
    }
  }

  private static boolean hasRoom(byte[] request) {
    for (int i = ConnectRequest.PATH_OFFSET; i < OFFSET; i++) {
      if (request[i] == 0) {
        return true;
      }
    }
    return false;
  }
}
