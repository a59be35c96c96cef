package qtfs.linux;

import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Lines on standard error for the operator: one event a line, control characters escaped, never a
 * byte of payload.
 *
 * <p>Under systemd, which sets JOURNAL_STREAM, each line starts with the priority that journald
 * reads ({@code <4>}, sd-daemon(3)); elsewhere with time and level. Safe from any thread.
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

  private static final boolean JOURNAL = System.getenv("JOURNAL_STREAM") != null;
  private static final AtomicReference<Level> LEVEL = new AtomicReference<>(Level.INFO);

  private Log() {}

  public static Level level() {
    return LEVEL.get();
  }

  public static void level(Level level) {
    LEVEL.set(level);
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
    String prefix =
        JOURNAL
            ? "<" + level.priority + ">"
            : LocalDateTime.now(ZoneId.systemDefault()).withNano(0) + " " + level + " ";
    // One write a line, past the layers of println: a busy proxy logs two lines a session.
    byte[] line = (prefix + escape(message) + "\n").getBytes(StandardCharsets.UTF_8);
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
