package qtfs.rexec;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The client's wishes as keys beside {@code Files} in the object at the end of an EXEC message,
 * where a C server passes them over:
 *
 * <pre>
 * Cwd        string    absolute directory
 * Env        [string]  NAME=value each
 * ClearEnv   bool
 * User       string    name or number
 * Nice       int       -20..19
 * TimeoutMs  int       1..
 * KillGraceMs int      0..
 * Tty        {"Rows":int,"Columns":int,"Type":string,"Stderr":bool}
 * Fds        [int]     3..1023, each once
 * </pre>
 *
 * <p>The strings need not be text, so each char of the JSON stands for one byte, U+0000 to U+00FF.
 */
final class WishesJson {
  private static final Pattern USER = Pattern.compile("[A-Za-z0-9_.][A-Za-z0-9_.@-]*\\$?");
  private static final Pattern TERMINAL_TYPE = Pattern.compile("[A-Za-z0-9._+-]{0,64}");
  private static final int MAX_SIZE = 0xffff; // struct winsize: u16

  private WishesJson() {}

  /** Writes the keys into an open object. */
  static void write(JsonGenerator json, Wishes wishes) throws IOException {
    if (wishes.cwd() != null) {
      json.writeStringField("Cwd", wishes.cwd());
    }
    if (!wishes.environment().isEmpty()) {
      json.writeArrayFieldStart("Env");
      for (String variable : wishes.environment()) {
        json.writeString(variable);
      }
      json.writeEndArray();
    }
    if (wishes.clearEnvironment()) {
      json.writeBooleanField("ClearEnv", true);
    }
    if (wishes.user() != null) {
      json.writeStringField("User", wishes.user());
    }
    if (wishes.nice() != 0) {
      json.writeNumberField("Nice", wishes.nice());
    }
    writeDuration(json, "TimeoutMs", wishes.timeout());
    writeDuration(json, "KillGraceMs", wishes.killGrace());
    writeTerminal(json, wishes.terminal());
    writeDescriptors(json, wishes.descriptors());
  }

  private static void writeDuration(JsonGenerator json, String name, @Nullable Duration duration)
      throws IOException {
    if (duration != null) {
      json.writeNumberField(name, duration.toMillis());
    }
  }

  private static void writeTerminal(JsonGenerator json, Wishes.@Nullable Terminal terminal)
      throws IOException {
    if (terminal != null) {
      json.writeObjectFieldStart("Tty");
      json.writeNumberField("Rows", terminal.rows());
      json.writeNumberField("Columns", terminal.columns());
      json.writeStringField("Type", terminal.type());
      json.writeBooleanField("Stderr", terminal.stderr());
      json.writeEndObject();
    }
  }

  private static void writeDescriptors(JsonGenerator json, List<Integer> numbers)
      throws IOException {
    if (!numbers.isEmpty()) {
      json.writeArrayFieldStart("Fds");
      for (int number : numbers) {
        json.writeNumber(number);
      }
      json.writeEndArray();
    }
  }

  /**
   * Reads the wishes out of an EXEC message's list of files; keys of others are passed over.
   *
   * @param json a byte string
   * @throws ProtocolException for a value of another type, or out of its range
   */
  static Wishes read(String json) throws ProtocolException {
    try (JsonParser parser = FilesJson.parser(json)) {
      expect(parser.nextToken() == JsonToken.START_OBJECT, "not an object");
      Fields fields = new Fields();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        parser.nextToken();
        fields.read(name, parser);
      }
      return fields.wishes();
    } catch (ProtocolException e) {
      throw e;
    } catch (IOException e) {
      throw new ProtocolException("wishes: " + FilesJson.firstLine(e));
    }
  }

  /** The values as they come. */
  private static final class Fields {
    private @Nullable String cwd;
    private List<String> environment = List.of();
    private boolean clearEnvironment;
    private @Nullable String user;
    private int nice;
    private @Nullable Duration timeout;
    private @Nullable Duration killGrace;
    private Wishes.@Nullable Terminal terminal;
    private List<Integer> descriptors = List.of();

    void read(String name, JsonParser parser) throws IOException {
      switch (name) {
        case "Cwd" -> cwd = directory(parser);
        case "Env" -> environment = environment(parser);
        case "ClearEnv" -> clearEnvironment = bool(parser, name);
        case "User" -> user = user(parser);
        case "Nice" -> nice = (int) integer(parser, name, Wishes.LEAST_NICE, Wishes.MOST_NICE);
        case "TimeoutMs" -> timeout = millis(parser, name, 1);
        case "KillGraceMs" -> killGrace = millis(parser, name, 0);
        case "Tty" -> terminal = terminal(parser);
        case "Fds" -> descriptors = descriptors(parser);
        default -> parser.skipChildren();
      }
    }

    Wishes wishes() {
      return new Wishes(
          cwd,
          environment,
          clearEnvironment,
          user,
          nice,
          timeout,
          killGrace,
          terminal,
          descriptors);
    }
  }

  private static String directory(JsonParser parser) throws IOException {
    String cwd = bytes(parser, "Cwd");
    expect(cwd.startsWith("/"), "Cwd is not absolute");
    expect(cwd.length() < 4096, "Cwd is longer than 4095 bytes"); // PATH_MAX
    return cwd;
  }

  private static List<String> environment(JsonParser parser) throws IOException {
    expect(parser.currentToken() == JsonToken.START_ARRAY, "Env is not an array");
    List<String> variables = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      String variable = bytes(parser, "Env");
      expect(variable.indexOf('=') > 0, "a variable in Env is not NAME=value");
      variables.add(variable);
    }
    return variables;
  }

  private static String user(JsonParser parser) throws IOException {
    String user = bytes(parser, "User");
    expect(USER.matcher(user).matches(), "User is no name of a user");
    return user;
  }

  private static Wishes.Terminal terminal(JsonParser parser) throws IOException {
    expect(parser.currentToken() == JsonToken.START_OBJECT, "Tty is not an object");
    int rows = 0;
    int columns = 0;
    String type = "";
    boolean stderr = true;
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      parser.nextToken();
      switch (name) {
        case "Rows" -> rows = (int) integer(parser, name, 0, MAX_SIZE);
        case "Columns" -> columns = (int) integer(parser, name, 0, MAX_SIZE);
        case "Type" -> type = terminalType(parser);
        case "Stderr" -> stderr = bool(parser, name);
        default -> parser.skipChildren();
      }
    }
    return new Wishes.Terminal(rows, columns, type, stderr);
  }

  private static String terminalType(JsonParser parser) throws IOException {
    String type = bytes(parser, "Type");
    expect(isTerminalType(type), "Type is no type of a terminal");
    return type;
  }

  /** Whether a value of TERM can be sent. */
  static boolean isTerminalType(String term) {
    return TERMINAL_TYPE.matcher(term).matches();
  }

  private static List<Integer> descriptors(JsonParser parser) throws IOException {
    expect(parser.currentToken() == JsonToken.START_ARRAY, "Fds is not an array");
    List<Integer> numbers = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      int number = (int) integer(parser, "Fds", FilesJson.MIN_NUMBER, FilesJson.MAX_NUMBER);
      expect(!numbers.contains(number), "Fds has " + number + " twice");
      numbers.add(number);
    }
    return numbers;
  }

  private static Duration millis(JsonParser parser, String name, long least) throws IOException {
    return Duration.ofMillis(integer(parser, name, least, Integer.MAX_VALUE));
  }

  private static long integer(JsonParser parser, String name, long least, long most)
      throws IOException {
    expect(parser.currentToken() == JsonToken.VALUE_NUMBER_INT, name + " is not an integer");
    long value = parser.getLongValue();
    expect(value >= least && value <= most, name + " " + value + " is out of range");
    return value;
  }

  private static boolean bool(JsonParser parser, String name) throws IOException {
    expect(parser.currentToken().isBoolean(), name + " is neither true nor false");
    return parser.getBooleanValue();
  }

  private static String bytes(JsonParser parser, String name) throws IOException {
    expect(parser.currentToken() == JsonToken.VALUE_STRING, name + " is not a string");
    String value = parser.getText();
    expect(ISO_8859_1.newEncoder().canEncode(value), name + " has a char that is no byte");
    expect(value.indexOf('\0') < 0, name + " contains a NUL");
    return value;
  }

  private static void expect(boolean condition, String otherwise) throws ProtocolException {
    if (!condition) {
      throw new ProtocolException("wishes: " + otherwise);
    }
  }
}
