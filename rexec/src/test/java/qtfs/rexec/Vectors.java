package qtfs.rexec;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;

/** The bytes that the C programs exchanged, recorded. */
final class Vectors {
  private Vectors() {}

  /** All bytes of one direction of one recording. */
  static byte[] bytes(String name) throws IOException {
    try (InputStream in = Vectors.class.getResourceAsStream("/vectors/" + name + ".hex")) {
      String hex =
          new String(Objects.requireNonNull(in, name).readAllBytes(), StandardCharsets.US_ASCII);
      return HexFormat.of().parseHex(hex.replaceAll("\\s", ""));
    }
  }

  /** The same, decoded. */
  static List<Message> messages(String name) throws IOException {
    byte[] bytes = bytes(name);
    List<Message> messages = new ArrayList<>();
    for (int at = 0; at < bytes.length; ) {
      byte[] header = Arrays.copyOfRange(bytes, at, at + MessageCodec.HEADER_LENGTH);
      at += MessageCodec.HEADER_LENGTH;
      int length = MessageCodec.dataLength(header);
      messages.add(MessageCodec.decode(header, Arrays.copyOfRange(bytes, at, at + length)));
      at += length;
    }
    return messages;
  }
}
