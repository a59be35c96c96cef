package qtfs.rexec;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The list of inherited files at the end of an EXEC message: {@code
 * {"Files":[{"Fd":3,"Path":"/abs/path","Perm":32769,"Offset":0}]}}. Keys that it does not know are
 * passed over, since other versions may add some.
 */
final class FilesJson {
  /**
   * What is sent without any file, and no wish but the usual grace: known beforehand, so that most
   * calls load no JSON library.
   */
  static final String NONE =
      "{\"Files\":[],\"KillGraceMs\":" + Wishes.USUAL_KILL_GRACE_MILLIS + "}";

  static final int MIN_NUMBER = 3;
  static final int MAX_NUMBER = 1023;
  private static final int MAX_DEPTH = 8;

  private FilesJson() {}

  /** As a byte string, with the wishes beside the list. */
  static String write(List<InheritedFile> files, Wishes wishes) {
    if (files.isEmpty() && wishes.areUsual()) {
      return NONE;
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
      json.writeStartObject();
      json.writeArrayFieldStart("Files");
      for (InheritedFile file : files) {
        json.writeStartObject();
        json.writeNumberField("Fd", file.number());
        json.writeStringField("Path", file.path());
        json.writeNumberField("Perm", file.flags());
        json.writeNumberField("Offset", file.offset());
        json.writeEndObject();
      }
      json.writeEndArray();
      WishesJson.write(json, wishes);
      json.writeEndObject();
    } catch (IOException impossible) {
      throw new AssertionError(impossible);
    }
    return out.toString(ISO_8859_1);
  }

  /**
   * For a byte string, which has to be UTF-8. It is decoded before: the library's own reading of
   * bytes guesses among encodings, and takes a key with wrong bytes for a key it has seen before.
   */
  static JsonParser parser(String json) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(json.getBytes(ISO_8859_1));
    try {
      return Reading.FACTORY.createParser(UTF_8.newDecoder().decode(bytes).toString());
    } catch (CharacterCodingException e) {
      throw new IOException("is not UTF-8", e);
    }
  }

  /**
   * Reads a list.
   *
   * @param json a byte string
   * @throws ProtocolException for what is not the list described above, for a number out of {@value
   *     #MIN_NUMBER} to {@value #MAX_NUMBER} or given twice, a path not absolute or with a NUL, and
   *     a negative offset
   */
  static List<InheritedFile> read(String json) throws ProtocolException {
    try (JsonParser parser = parser(json)) {
      expect(parser.nextToken() == JsonToken.START_OBJECT, "not an object");
      List<InheritedFile> files = new ArrayList<>();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        parser.nextToken();
        if (name.equals("Files")) {
          files.addAll(files(parser));
        } else {
          parser.skipChildren();
        }
      }
      expect(parser.nextToken() == null, "something after the end");
      return files;
    } catch (ProtocolException e) {
      throw e;
    } catch (IOException e) {
      throw new ProtocolException("list of files: " + firstLine(e));
    }
  }

  /** Apart, so that writing does not make it. */
  private static final class Reading {
    private static final JsonFactory FACTORY =
        JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
            .streamReadConstraints(
                StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_DEPTH)
                    .maxDocumentLength(MessageCodec.MAX_DATA_LENGTH)
                    .build())
            .build();
  }

  private static List<InheritedFile> files(JsonParser parser) throws IOException {
    expect(parser.currentToken() == JsonToken.START_ARRAY, "Files is not an array");
    List<InheritedFile> files = new ArrayList<>();
    Set<Integer> numbers = new HashSet<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      expect(parser.currentToken() == JsonToken.START_OBJECT, "a file is not an object");
      InheritedFile file = file(parser);
      expect(numbers.add(file.number()), "Fd " + file.number() + " twice");
      files.add(file);
    }
    return files;
  }

  private static InheritedFile file(JsonParser parser) throws IOException {
    Long number = null;
    Long flags = null;
    Long offset = null;
    String path = null;
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      parser.nextToken();
      switch (name) {
        case "Fd" -> number = integer(parser, name);
        case "Path" -> path = path(parser);
        case "Perm" -> flags = integer(parser, name);
        case "Offset" -> offset = integer(parser, name);
        default -> parser.skipChildren();
      }
    }
    return new InheritedFile(
        (int) within(number, "Fd", MIN_NUMBER, MAX_NUMBER),
        required(path, "Path"),
        (int) within(flags, "Perm", 0, Integer.MAX_VALUE),
        within(offset, "Offset", 0, Long.MAX_VALUE));
  }

  private static long integer(JsonParser parser, String name) throws IOException {
    expect(parser.currentToken() == JsonToken.VALUE_NUMBER_INT, name + " is not an integer");
    return parser.getLongValue();
  }

  private static String path(JsonParser parser) throws IOException {
    expect(parser.currentToken() == JsonToken.VALUE_STRING, "Path is not a string");
    String path = parser.getText();
    expect(path.startsWith("/"), "Path is not absolute");
    expect(path.indexOf('\0') < 0, "Path contains a NUL");
    // Half a surrogate pair would become another path's question mark.
    expect(UTF_8.newEncoder().canEncode(path), "Path is not a text");
    expect(path.getBytes(UTF_8).length < 4096, "Path is longer than 4095 bytes"); // PATH_MAX
    return path;
  }

  private static long within(@Nullable Long value, String name, long least, long most)
      throws ProtocolException {
    long number = required(value, name);
    expect(number >= least && number <= most, name + " " + number + " is out of range");
    return number;
  }

  private static <T> T required(@Nullable T value, String name) throws ProtocolException {
    if (value == null) {
      throw new ProtocolException("list of files: a file without " + name);
    }
    return value;
  }

  private static void expect(boolean condition, String otherwise) throws ProtocolException {
    if (!condition) {
      throw new ProtocolException("list of files: " + otherwise);
    }
  }

  static String firstLine(IOException e) {
    String message = String.valueOf(e.getMessage());
    int end = message.indexOf('\n');
    return end < 0 ? message : message.substring(0, end);
  }
}
