package qtfs.udsproxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import qtfs.udsproxy.connector.ConnectRequest;

/**
 * One direction of one connection as the deployed daemons spoke it, with the paths of the recording
 * replaced by a test's own where that is asked for.
 */
final class Recorded {
  /** The header and the request that every connection for a unix socket begins with. */
  static final int REQUEST = Frame.HEADER_LENGTH + ConnectRequest.LENGTH;

  private static final byte[] FILE = "/srv/peer/log/reg.txt\0".getBytes(UTF_8);

  private final byte[] bytes;

  private Recorded(byte[] bytes) {
    this.bytes = bytes;
  }

  /** What {@code vectors/SCENE/LINK.hex} holds. */
  static Recorded of(String scene, String link) throws IOException {
    String name = "/vectors/" + scene + "/" + link + ".hex";
    try (InputStream in = Recorded.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IOException("no such record: " + name);
      }
      String hex = new String(in.readAllBytes(), UTF_8).replaceAll("\\s", "");
      return new Recorded(HexFormat.of().parseHex(hex));
    }
  }

  /** A request, alone or behind its frame header, that names another socket. */
  Recorded towards(Path socket) {
    byte[] changed = bytes.clone();
    int at = changed.length == ConnectRequest.LENGTH ? 4 : Frame.HEADER_LENGTH + 4;
    Arrays.fill(changed, at, at + 108, (byte) 0);
    byte[] name = socket.toString().getBytes(UTF_8);
    System.arraycopy(name, 0, changed, at, name.length);
    return new Recorded(changed);
  }

  /** A request with the mark of a proxy that speaks the extended dialect. */
  Recorded marked() {
    byte[] changed = bytes.clone();
    byte[] mark = {'Q', 'T', 'F', 'X', 1, 0, 0, 0};
    System.arraycopy(mark, 0, changed, REQUEST - mark.length, mark.length);
    return new Recorded(changed);
  }

  /** SCM_RIGHTS frames that name another file. */
  Recorded passing(Path file) {
    byte[] name = (file + "\0").getBytes(UTF_8);
    ByteBuffer out = ByteBuffer.allocate(bytes.length + 1024).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at < bytes.length; ) {
      if (Arrays.equals(slice(at, at + FILE.length), FILE)) {
        out.putInt(out.position() - 8, 4 + name.length).put(name);
        at += FILE.length;
      } else {
        out.put(bytes[at++]);
      }
    }
    return new Recorded(Arrays.copyOf(out.array(), out.position()));
  }

  /** From the connection's first to its last. */
  byte[] bytes() {
    return bytes.clone();
  }

  byte[] slice(int from, int to) {
    return Arrays.copyOfRange(bytes, from, to);
  }

  byte[] from(int at) {
    return slice(at, bytes.length);
  }
}
