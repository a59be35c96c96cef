package qtfs.udsproxy;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Log;

/**
 * What a control client asks for: an object on one line, its {@code command} one of the names
 * below, and the members that this one has, all texts.
 *
 * <pre>
 * {"command":"expose","spec":"/run/docker.sock,mode=0660"}
 * </pre>
 */
sealed interface ControlRequest {
  /** Lead clients to the peer; see {@link Exposure}. */
  record Expose(String spec) implements ControlRequest {}

  /** Take no more clients at a path. */
  record Unexpose(String local) implements ControlRequest {}

  /** List what is exposed. */
  record Exposed() implements ControlRequest {}

  /** List the sessions. */
  record Sessions() implements ControlRequest {}

  /** Tell how the daemon is. */
  record Status() implements ControlRequest {}

  /** Take no new sessions, and end with the last. */
  record Drain() implements ControlRequest {}

  /** Log as much as this. */
  record LogLevel(Log.Level level) implements ControlRequest {}

  List<String> COMMANDS =
      List.of("expose", "unexpose", "exposed", "sessions", "status", "drain", "log-level");

  /**
   * Reads one.
   *
   * @throws IOException with one line that says what is wrong with it
   */
  static ControlRequest parse(byte[] line) throws IOException {
    Map<String, String> members = Json.texts(line);
    String command = taken(members, "command");
    ControlRequest request =
        switch (command) {
          case "expose" -> new Expose(taken(members, "spec"));
          case "unexpose" -> new Unexpose(taken(members, "local"));
          case "exposed" -> new Exposed();
          case "sessions" -> new Sessions();
          case "status" -> new Status();
          case "drain" -> new Drain();
          case "log-level" -> new LogLevel(level(taken(members, "level")));
          default ->
              throw new IOException(
                  "no command \"" + command + "\": take one of " + String.join(", ", COMMANDS));
        };
    if (!members.isEmpty()) {
      throw new IOException(command + " has no members " + members.keySet());
    }
    return request;
  }

  private static String taken(Map<String, String> members, String name) throws IOException {
    @Nullable String value = members.remove(name);
    if (value == null) {
      throw new IOException("there is no \"" + name + "\"");
    }
    return value;
  }

  private static Log.Level level(String text) throws IOException {
    try {
      return Log.Level.valueOf(text.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      throw new IOException(
          "no level \"" + text + "\": take one of " + Arrays.toString(Log.Level.values()));
    }
  }
}
