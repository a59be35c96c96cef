package qtfs.whitelist;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.Optional;

/**
 * Text as a row of bytes, one in each char: the form in which both files are parsed.
 *
 * <p>Their syntax is ASCII and their limits count bytes; and a comment in another encoding is
 * nobody's business, so that only what is used is ever decoded.
 */
final class Utf8 {
  private Utf8() {}

  static String bytes(byte[] bytes) {
    return new String(bytes, ISO_8859_1);
  }

  /** The text that such bytes spell; empty if they are no UTF-8. */
  static Optional<String> decode(String bytes) {
    try {
      return Optional.of(
          UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes.getBytes(ISO_8859_1))).toString());
    } catch (CharacterCodingException _) {
      return Optional.empty();
    }
  }

  /** The same, and what is no UTF-8 becomes U+FFFD. */
  static String lenient(String bytes) {
    return new String(bytes.getBytes(ISO_8859_1), UTF_8);
  }

  /** The same for a message. */
  static String show(String bytes) {
    return Visible.quote(lenient(bytes));
  }
}
