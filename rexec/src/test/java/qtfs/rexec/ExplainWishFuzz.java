package qtfs.rexec;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;

/**
 * Fuzz target: whether a list of files has the wish to be told and not to be run is the same by the
 * short look and by a whole reading, and once the wish has been added it is there.
 */
public final class ExplainWishFuzz {
  private ExplainWishFuzz() {}

  /** Called by the fuzzer, and for each kept input by {@link FuzzCorpusTest}. */
  public static void fuzzerTestOneInput(byte[] input) throws ProtocolException {
    String json = new String(input, ISO_8859_1);
    boolean found;
    try {
      found = ExplainWish.isIn(json);
      // What cannot be read at all is refused by these two.
      FilesJson.read(json);
      WishesJson.read(json);
    } catch (ProtocolException e) {
      return;
    }
    boolean there = isThere(json);
    if (found != there) {
      throw new AssertionError(json);
    }
    if (!there && json.endsWith("}") && !json.contains("\"Explain\"") && json.contains(":")) {
      assertIsThereOnceAdded(json);
    }
  }

  private static void assertIsThereOnceAdded(String json) throws ProtocolException {
    if (json.indexOf('\\') < 0 && !ExplainWish.isIn(ExplainWish.addTo(json))) {
      throw new AssertionError(json);
    }
  }

  private static boolean isThere(String json) {
    boolean there = false;
    try (JsonParser parser = FilesJson.parser(json)) {
      parser.nextToken();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        boolean key = parser.currentName().equals("Explain");
        there |= parser.nextToken() == JsonToken.VALUE_TRUE && key;
        parser.skipChildren();
      }
    } catch (IOException e) {
      throw new AssertionError(json, e);
    }
    return there;
  }
}
