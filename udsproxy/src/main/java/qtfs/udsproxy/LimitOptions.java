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
        buffered(parsed, defaults.buffered()),
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

  private static int buffered(ParseResult parsed, int otherwise) throws StartException {
    String option = Limit.MAX_BUFFERED.option();
    String text = parsed.matchedOptionValue(option, Integer.toString(otherwise));
    long size = Units.size(option, text);
    if (size < LEAST_BUFFERED || size > MOST_BUFFERED) {
      throw new StartException(option + " is \"" + text + "\", must be from 16K to 1G");
    }
    return (int) size;
  }
}
