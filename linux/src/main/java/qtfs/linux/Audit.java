package qtfs.linux;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One event that somebody may have to answer for later: its name, and named values in the order in
 * which they were given. {@link Log#audit} writes it. Never holds payload. One thread.
 *
 * <pre>{@code
 * Log.audit(Audit.of("session-end").with("session", 12).with("path", "/run/x.sock"));
 * }</pre>
 */
public final class Audit {
  private final String event;
  private final Map<String, Object> values = new LinkedHashMap<>();

  private Audit(String event) {
    this.event = event;
  }

  /**
   * An event without values.
   *
   * @param event lower case with hyphens, such as {@code session-end}
   */
  public static Audit of(String event) {
    return new Audit(event);
  }

  /** Adds a text, which may hold anything: it is escaped where it is written. */
  public Audit with(String name, String value) {
    values.put(name, value);
    return this;
  }

  /** Adds a number. */
  public Audit with(String name, long value) {
    values.put(name, value);
    return this;
  }

  /** Adds a value that nobody knows: {@code null}, in words and as JSON. */
  public Audit withUnknown(String name) {
    values.put(name, Unknown.NULL);
    return this;
  }

  /** Adds seconds from a duration in nanoseconds, with three decimals. */
  public Audit withSeconds(String name, long nanos) {
    values.put(name, Seconds.ofNanos(nanos));
    return this;
  }

  String event() {
    return event;
  }

  Map<String, Object> values() {
    return values;
  }

  /** The event as words: {@code session-end session=12 path="/run/x y.sock"}. */
  String text() {
    StringBuilder out = new StringBuilder(event);
    values.forEach(
        (name, value) -> {
          out.append(' ').append(name).append('=');
          if (value instanceof String text) {
            appendText(out, text);
          } else {
            out.append(value);
          }
        });
    return out.toString();
  }

  private static void appendText(StringBuilder out, String text) {
    boolean plain = !text.isEmpty() && text.chars().noneMatch(Audit::needsQuotes);
    if (plain) {
      out.append(text);
    } else {
      out.append('"').append(text.replace("\\", "\\\\").replace("\"", "\\\"")).append('"');
    }
  }

  private static boolean needsQuotes(int c) {
    return c == ' ' || c == '"' || c == '=' || c == '\\' || Character.isISOControl(c);
  }

  /** Stands where a number would and writes itself as {@code null}. */
  private enum Unknown {
    NULL;

    @Override
    public String toString() {
      return "null";
    }
  }

  /** A number of seconds that writes itself as {@code 12.345}. */
  record Seconds(long millis) {
    static Seconds ofNanos(long nanos) {
      return new Seconds(nanos / 1_000_000);
    }

    /** String.format takes longer than the rest of closing a session. */
    @Override
    public String toString() {
      return millis / 1000 + "." + String.valueOf(1000 + millis % 1000).substring(1);
    }
  }
}
