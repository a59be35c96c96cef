package qtfs.udsproxy;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import qtfs.whitelist.Durations;

/**
 * Reads amounts with units from a command line, strictly: a number and one unit behind it, nothing
 * between, nothing else.
 */
final class Units {
  private static final Pattern AMOUNT = Pattern.compile("([0-9]{1,9})([A-Za-z]*)");

  private Units() {}

  /**
   * A time such as {@code 500ms}, {@code 10s}, {@code 5m} or {@code 2h}; {@code 0} and {@code off}
   * are none at all.
   *
   * @throws StartException if it is anything else, in one line
   */
  static Duration duration(String option, String text) throws StartException {
    if (text.equals("off") || text.equals("0")) {
      return Duration.ZERO;
    }
    // Of a number alone nobody would know what it counts.
    if (!text.isEmpty() && Character.isLetter(text.charAt(text.length() - 1))) {
      Optional<Duration> time = Durations.parse(text);
      if (time.isPresent()) {
        return time.get();
      }
    }
    throw new StartException(
        option + " is \"" + text + "\", must be a time such as 500ms, 10s, 5m or 2h");
  }

  /**
   * A number of bytes such as {@code 65536}, {@code 256K} or {@code 1M}, powers of 1024.
   *
   * @throws StartException if it is anything else, in one line
   */
  static long size(String option, String text) throws StartException {
    Matcher amount = AMOUNT.matcher(text);
    if (amount.matches()) {
      long number = Long.parseLong(amount.group(1));
      switch (amount.group(2)) {
        case "" -> {
          return number;
        }
        case "K" -> {
          return number << 10;
        }
        case "M" -> {
          return number << 20;
        }
        case "G" -> {
          return number << 30;
        }
        default -> {} // told below
      }
    }
    throw new StartException(
        option + " is \"" + text + "\", must be a size such as 65536, 256K or 1M");
  }

  /** Such a number in words, as large a unit as there is without a rest. */
  static String text(long size) {
    long number = size;
    int unit = 0;
    while (number % 1024 == 0 && unit < 3 && number > 0) {
      number /= 1024;
      unit++;
    }
    return number + List.of("", "K", "M", "G").get(unit);
  }
}
