package qtfs.udsproxy;

import java.time.Duration;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** The options that set {@link Limits} and the {@link Deadlines} an operator may want to change. */
final class LimitOptions {
  private static final int MOST_SESSIONS = 1_000_000;
  private static final Duration SHORTEST = Duration.ofMillis(100);
  private static final Duration LONGEST = Duration.ofHours(1);
  private static final Duration SHORTEST_LINK = Duration.ofSeconds(5);
  private static final Duration LONGEST_IDLE = Duration.ofDays(30);
  private static final long LEAST_BUFFERED = 16 * 1024;
  private static final long MOST_BUFFERED = 1024L * 1024 * 1024;
  private static final long LEAST_IN_ALL = 1024 * 1024;

  private LimitOptions() {}

  static void addTo(CommandSpec spec) {
    Limits limits = Limits.DEFAULT;
    Deadlines times = Deadlines.DEFAULT;
    add(spec, Limit.MAX_SESSIONS, "N", "sessions at once (default " + limits.sessions() + ")");
    add(
        spec,
        Limit.MAX_SESSIONS_PER_PEER,
        "N",
        "those of them that the peer asked for (default three quarters)");
    add(
        spec,
        Limit.HANDSHAKE_TIMEOUT,
        "TIME",
        "for each step of a connect (default " + times.handshake().toSeconds() + "s)");
    add(
        spec,
        Limit.PAIRING_TIMEOUT,
        "TIME",
        "for the application to fetch its connection (default "
            + times.pairing().toSeconds()
            + "s)");
    add(spec, Limit.IDLE_TIMEOUT, "TIME", "ends sessions without a byte for so long (default off)");
    add(
        spec,
        Limit.LINK_TIMEOUT,
        "TIME",
        "ends links whose other host answers nothing for so long (default "
            + limits.link().toSeconds()
            + "s)");
    add(
        spec,
        Limit.MAX_BUFFERED,
        "SIZE",
        "bytes a session may have waiting for the peer (default "
            + limits.buffered() / 1024
            + "K)");
    add(
        spec,
        Limit.MAX_BUFFERED_TOTAL,
        "SIZE",
        "bytes of all sessions that may wait for slow readers (default half of the JVM's"
            + " -XX:MaxDirectMemorySize, which is the most)");
  }

  private static void add(CommandSpec spec, Limit limit, String label, String description) {
    spec.addOption(
        OptionSpec.builder(limit.option())
            .type(String.class)
            .paramLabel(label)
            .description(description)
            .build());
  }

  static Limits limits(ParseResult parsed) throws StartException {
    Limits defaults = Limits.DEFAULT;
    int sessions = number(parsed, Limit.MAX_SESSIONS, defaults.sessions());
    return new Limits(
        sessions,
        number(
            parsed,
            Limit.MAX_SESSIONS_PER_PEER,
            parsed.hasMatchedOption(Limit.MAX_SESSIONS.option())
                ? Math.max(1, sessions - sessions / 4)
                : defaults.sessionsPerPeer()),
        idle(parsed),
        (int) size(parsed, Limit.MAX_BUFFERED, defaults.buffered(), LEAST_BUFFERED, MOST_BUFFERED),
        size(
            parsed,
            Limit.MAX_BUFFERED_TOTAL,
            defaults.bufferedInAll(),
            LEAST_IN_ALL,
            defaults.bufferedInAll()),
        time(parsed, Limit.LINK_TIMEOUT, defaults.link(), SHORTEST_LINK));
  }

  static Deadlines deadlines(ParseResult parsed) throws StartException {
    Deadlines defaults = Deadlines.DEFAULT;
    return new Deadlines(
        time(parsed, Limit.HANDSHAKE_TIMEOUT, defaults.handshake(), SHORTEST),
        time(parsed, Limit.PAIRING_TIMEOUT, defaults.pairing(), SHORTEST),
        defaults.pipe(),
        defaults.stopping());
  }

  private static int number(ParseResult parsed, Limit limit, int otherwise) throws StartException {
    String text = parsed.matchedOptionValue(limit.option(), Integer.toString(otherwise));
    if (text.matches("[0-9]{1,7}")) {
      int number = Integer.parseInt(text);
      if (number >= 1 && number <= MOST_SESSIONS) {
        return number;
      }
    }
    throw new StartException(
        limit.option() + " is \"" + text + "\", must be a number from 1 to " + MOST_SESSIONS);
  }

  private static Duration time(ParseResult parsed, Limit limit, Duration otherwise, Duration least)
      throws StartException {
    String text = parsed.matchedOptionValue(limit.option(), "");
    if (text.isEmpty() && !parsed.hasMatchedOption(limit.option())) {
      return otherwise;
    }
    return within(limit, text, least, LONGEST);
  }

  private static Duration idle(ParseResult parsed) throws StartException {
    String text = parsed.matchedOptionValue(Limit.IDLE_TIMEOUT.option(), "off");
    Duration idle = Units.duration(Limit.IDLE_TIMEOUT.option(), text);
    return idle.isZero() ? idle : within(Limit.IDLE_TIMEOUT, text, SHORTEST, LONGEST_IDLE);
  }

  private static Duration within(Limit limit, String text, Duration least, Duration most)
      throws StartException {
    Duration time = Units.duration(limit.option(), text);
    if (time.compareTo(least) < 0 || time.compareTo(most) > 0) {
      throw new StartException(
          limit.option()
              + " is \""
              + text
              + "\", must be from "
              + (least.toSeconds() > 0 ? least.toSeconds() + "s" : least.toMillis() + "ms")
              + " to "
              + most.toHours()
              + "h");
    }
    return time;
  }

  private static long size(ParseResult parsed, Limit limit, long otherwise, long least, long most)
      throws StartException {
    if (!parsed.hasMatchedOption(limit.option())) {
      return otherwise;
    }
    String text = parsed.matchedOptionValue(limit.option(), "");
    long size = Units.size(limit.option(), text);
    if (size < least || size > most) {
      throw new StartException(
          limit.option()
              + " is \""
              + text
              + "\", must be from "
              + Units.text(least)
              + " to "
              + Units.text(most));
    }
    return size;
  }
}
