package qtfs.whitelist;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Times as users write them, in files and on command lines: {@code 500ms}, {@code 1.5s}, {@code
 * 10s}, {@code 5m} or {@code 5min}, {@code 2h}. A number without a unit is of seconds. Nothing
 * finer than a millisecond.
 */
public final class Durations {
  private static final Pattern TIME =
      Pattern.compile("([0-9]{1,10}(?:\\.[0-9]{0,9})?|\\.[0-9]{1,9})(ms|s|m|min|h|)");

  private Durations() {}

  /** Reads one; empty for what is none. */
  public static Optional<Duration> parse(String text) {
    Matcher time = TIME.matcher(text);
    if (!time.matches()) {
      return Optional.empty();
    }
    long millisPerUnit =
        switch (time.group(2)) {
          case "ms" -> 1;
          case "m", "min" -> 60_000;
          case "h" -> 3_600_000;
          default -> 1000;
        };
    BigDecimal millis = new BigDecimal(time.group(1)).multiply(BigDecimal.valueOf(millisPerUnit));
    return Optional.of(Duration.ofMillis(millis.longValue()));
  }
}
