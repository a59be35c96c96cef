package qtfs.qtcfg;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import qtfs.linux.ByteStrings;

/** One JSON object on one line. */
final class Json {
  private Json() {}

  /** Writes the members of an object. */
  interface Members {
    void write(JsonGenerator json) throws IOException;
  }

  /** The line, a byte string in UTF-8. */
  static String line(Members members) {
    StringWriter out = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
      json.writeStartObject();
      members.write(json);
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return ByteStrings.of(out.toString());
  }

  /** A member that is a byte string; what is no UTF-8 in it becomes U+FFFD. */
  static void bytes(JsonGenerator json, String name, String byteString) throws IOException {
    json.writeStringField(name, ByteStrings.text(byteString));
  }
}
