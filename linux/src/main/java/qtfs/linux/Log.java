package qtfs.linux;

import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Lines on standard error for the operator: one event a line, control characters escaped, never a
 * byte of payload.
 *
 * <p>Under systemd, which sets JOURNAL_STREAM, each line starts with the priority that journald
 * reads ({@code <4>}, sd-daemon(3)); elsewhere with time and level; or it is a JSON object, where
 * {@link #format} says so. Safe from any thread.
 */
public final class Log {
  /** How much is told, in ascending order. */
  public enum Level {
    NONE(0),
    ERROR(3),
    WARN(4),
    INFO(6),
    DEBUG(7);

    private final int priority; // syslog(3)

    Level(int priority) {
      this.priority = priority;
    }
  }

  /** What a line looks like. */
  public enum Format {
    /** {@code 2026-11-22T12:00:00 INFO listening}. */
    TEXT,
    /** {@code <6>listening}: journald adds the time and takes the number for its priority. */
    JOURNAL,
    /** {@code {"time":"2026-11-22T12:00:00.123+01:00","level":"info","message":"listening"}}. */
    JSON
  }

  private static final AtomicReference<Level> LEVEL = new AtomicReference<>(Level.INFO);
  private static final AtomicReference<Format> FORMAT =
      new AtomicReference<>(System.getenv("JOURNAL_STREAM") == null ? Format.TEXT : Format.JOURNAL);

  private Log() {}

  public static Level level() {
    return LEVEL.get();
  }

  public static void level(Level level) {
    LEVEL.set(level);
  }

  public static Format format() {
    return FORMAT.get();
  }

  /** What lines look like from now on, instead of what suits standard error. */
  public static void format(Format format) {
    FORMAT.set(format);
  }

  /**
   * Writes an event that somebody may have to answer for, whatever the level: as JSON its values
   * are members, next to {@code time}, {@code level} ({@code audit}) and {@code event}.
   */
  public static void audit(Audit audit) {
    if (FORMAT.get() == Format.JSON) {
      Map<String, Object> members = new LinkedHashMap<>();
      members.put("time", now());
      members.put("level", "audit");
      members.put("event", audit.event());
      members.putAll(audit.values());
      print(JsonLine.of(members));
    } else {
      print(prefix("AUDIT", Level.INFO.priority) + escape(audit.text()));
    }
  }

  /**
   * Says why a program does not start, whatever the level: a line for each of the text's, behind
   * the program's name for whoever has typed it.
   */
  public static void complain(String program, String text) {
    for (String line : text.lines().toList()) {
      if (FORMAT.get() == Format.JSON) {
        print(json(Level.ERROR, line));
      } else {
        print(program + ": " + escape(line));
      }
    }
  }

  public static void error(String message) {
    write(Level.ERROR, message);
  }

  public static void warn(String message) {
    write(Level.WARN, message);
  }

  public static void info(String message) {
    write(Level.INFO, message);
  }

  public static void debug(String message) {
    write(Level.DEBUG, message);
  }

  public static boolean isDebug() {
    return LEVEL.get() == Level.DEBUG;
  }

  private static void write(Level level, String message) {
    if (level.compareTo(LEVEL.get()) > 0) {
      return;
    }
    if (FORMAT.get() == Format.JSON) {
      print(json(level, message));
    } else {
      print(prefix(level.name(), level.priority) + escape(message));
    }
  }

  private static String json(Level level, String message) {
    Map<String, Object> members = new LinkedHashMap<>();
    members.put("time", now());
    members.put("level", level.name().toLowerCase(Locale.ROOT));
    members.put("message", message);
    return JsonLine.of(members);
  }

  private static String prefix(String level, int priority) {
    return FORMAT.get() == Format.JOURNAL
        ? "<" + priority + ">"
        : toTheSecond(LocalDateTime.now(ZoneId.systemDefault())) + " " + level + " ";
  }

  /** The time of a line; LocalDateTime's own text leaves out a second that is 0. */
  static String toTheSecond(LocalDateTime time) {
    return time.withNano(0) + (time.getSecond() == 0 ? ":00" : "");
  }

  private static String now() {
    return OffsetDateTime.now(ZoneId.systemDefault()).toString();
  }

  /** One write a line, past the layers of println: a busy proxy logs two lines a session. */
  private static void print(String text) {
    byte[] line = (text + "\n").getBytes(StandardCharsets.UTF_8);
    System.err.write(line, 0, line.length);
    System.err.flush();
  }

  /**
   * The text with every control character as {@code \\xNN}: what came from a wire stays one line.
   */
  public static String escape(String text) {
    if (!hasControl(text)) {
      return text;
    }
    StringBuilder out = new StringBuilder(text.length() + 16);
    text.chars()
        .forEach(
            c -> {
              if (Character.isISOControl(c)) {
                out.append(String.format("\\x%02x", c));
              } else {
                out.append((char) c);
              }
            });
    return out.toString();
  }

  private static boolean hasControl(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isISOControl(text.charAt(i))) {
        return true;
      }
    }
    return false;
  }
}
