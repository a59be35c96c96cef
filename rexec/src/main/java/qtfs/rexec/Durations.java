package qtfs.rexec;

import java.math.BigDecimal;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Durations as users write them: {@code 500ms}, {@code 1.5}, {@code 30s}, {@code 5m}, {@code 2h}.
 */
final class Durations {
  private static final int MAX_MILLIS = Integer.MAX_VALUE; // what the protocol carries

  private Durations() {}

  /** Reads one, in seconds where it has no unit; null for what is none. */
  static @Nullable Duration parse(String text) {
    int unit = 0;
    while (unit < text.length()
        && (text.charAt(unit) == '.' || (text.charAt(unit) >= '0' && text.charAt(unit) <= '9'))) {
      unit++;
    }
    int millisPerUnit =
        switch (text.substring(unit)) {
          case "ms" -> 1;
          case "s", "" -> 1000;
          case "m" -> 60_000;
          case "h" -> 3_600_000;
          default -> 0;
        };
    if (millisPerUnit == 0) {
      return null;
    }
    try {
      BigDecimal millis =
          new BigDecimal(text.substring(0, unit)).multiply(BigDecimal.valueOf(millisPerUnit));
      return millis.compareTo(BigDecimal.valueOf(MAX_MILLIS)) > 0
          ? null
          : Duration.ofMillis(millis.longValue());
    } catch (NumberFormatException e) {
      return null;
    }
  }
}
