package qtfs.rexec;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;

/**
 * The wish not to run the program but to be told whether it would be: {@code "Explain":true} beside
 * the list of files. A C server would pass it over and run the program, so who sends it gives up at
 * the handshake unless the server has said that it explains.
 */
final class ExplainWish {
  private static final String KEY = "Explain";

  private ExplainWish() {}

  /** The list of files with the wish added. */
  static String addTo(String json) {
    return json.substring(0, json.length() - 1) + ",\"" + KEY + "\":true}";
  }

  /** Whether the wish is in a list of files. */
  static boolean isIn(String json) throws ProtocolException {
    // Most lists need no reading for this; a key may be written with escapes.
    return (json.contains(KEY) || json.indexOf('\\') >= 0) && read(json);
  }

  private static boolean read(String json) throws ProtocolException {
    try (JsonParser parser = FilesJson.parser(json)) {
      boolean wanted = false;
      JsonToken first = parser.nextToken();
      while (first == JsonToken.START_OBJECT && parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        JsonToken value = parser.nextToken();
        wanted |= name.equals(KEY) && value == JsonToken.VALUE_TRUE;
        parser.skipChildren();
      }
      return wanted;
    } catch (IOException e) {
      throw new ProtocolException("list of files: " + FilesJson.firstLine(e));
    }
  }
}
