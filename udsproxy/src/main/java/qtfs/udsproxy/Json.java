package qtfs.udsproxy;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** JSON objects on one line each, as the control socket has them. For any thread. */
final class Json {
  private Json() {}

  /** Writes the members of an object. */
  interface Members {
    void write(JsonGenerator json) throws IOException;
  }

  /** An object, without a line's end. */
  static String line(Members members) {
    StringWriter out = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
      json.writeStartObject();
      members.write(json);
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toString();
  }

  /**
   * The members of an object that has no others than texts.
   *
   * @throws IOException for anything else
   */
  static Map<String, String> texts(byte[] line) throws IOException {
    JsonFactory factory =
        JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();
    Map<String, String> members = new LinkedHashMap<>();
    try (JsonParser json = factory.createParser(line)) {
      require(json.nextToken() == JsonToken.START_OBJECT);
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String name = json.currentName();
        require(json.nextToken() == JsonToken.VALUE_STRING);
        members.put(name, json.getText());
      }
      require(json.currentToken() == JsonToken.END_OBJECT && json.nextToken() == null);
    }
    return members;
  }

  /**
   * The members of any object, in their order: values are String, Long, Double, Boolean, List, Map,
   * or null.
   *
   * @throws IOException for what is no object, and nothing else
   */
  static Map<String, @Nullable Object> object(String line) throws IOException {
    try (JsonParser json = new JsonFactory().createParser(line)) {
      require(json.nextToken() == JsonToken.START_OBJECT);
      Map<String, @Nullable Object> members = members(json);
      require(json.nextToken() == null);
      return members;
    }
  }

  private static Map<String, @Nullable Object> members(JsonParser json) throws IOException {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String name = json.currentName();
      json.nextToken();
      members.put(name, value(json));
    }
    return members;
  }

  private static @Nullable Object value(JsonParser json) throws IOException {
    return switch (json.currentToken()) {
      case START_OBJECT -> members(json);
      case START_ARRAY -> {
        List<@Nullable Object> elements = new ArrayList<>();
        while (json.nextToken() != JsonToken.END_ARRAY) {
          elements.add(value(json));
        }
        yield elements;
      }
      case VALUE_STRING -> json.getText();
      case VALUE_NUMBER_INT -> json.getLongValue();
      case VALUE_NUMBER_FLOAT -> json.getDoubleValue();
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NULL -> null;
      case NOT_AVAILABLE, END_OBJECT, END_ARRAY, FIELD_NAME, VALUE_EMBEDDED_OBJECT ->
          throw new IOException("not a value");
    };
  }

  private static void require(boolean condition) throws IOException {
    if (!condition) {
      throw new IOException("not the object that it should be");
    }
  }
}
