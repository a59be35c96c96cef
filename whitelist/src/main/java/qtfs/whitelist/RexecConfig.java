package qtfs.whitelist;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What {@code /etc/rexec/rexec_server.conf} says: which wishes of clients are granted, and how much
 * they may have. Immutable. A key that is not in the file has its default, as has a missing file.
 *
 * @param environment names of variables that a client may set for any program
 * @param users as whom a client may have any program run
 * @param leastNice the lowest nice value that a client may ask for
 * @param programs most that run at once
 * @param programsPerUser most that run at once for one uid of this host
 * @param requestBytes most that arguments, variables and files of a request may take
 * @param killGrace most that a client may ask for between SIGTERM and SIGKILL
 * @param killAtStop whether the programs end with the server
 */
public record RexecConfig(
    NameSet environment,
    List<String> users,
    int leastNice,
    int programs,
    int programsPerUser,
    int requestBytes,
    Duration killGrace,
    boolean killAtStop) {
  private static final int MOST_BYTES = 1 << 20;

  /** Whatever makes no program run something else than itself. */
  private static final NameSet ANY = new NameSet(Set.of("*"));

  public static final RexecConfig DEFAULT =
      new RexecConfig(ANY, List.of(), 0, 1024, 1024, 1 << 20, Duration.ofMinutes(1), false);

  /**
   * Reads the file if it exists.
   *
   * @throws WhitelistException if somebody else could have written it, or anything in it is wrong
   */
  public static RexecConfig loadIfPresent(Path file) throws WhitelistException {
    if (Files.notExists(file, NOFOLLOW_LINKS)) {
      return DEFAULT;
    }
    Problems problems = new Problems(file);
    return parse(new GuardedFile(file, problems).read(MOST_BYTES, "it went"), problems);
  }

  static RexecConfig parse(byte[] bytes, Problems problems) throws WhitelistException {
    Reader reader = new Reader(problems);
    SectionFile.parse(bytes, problems).forEach(reader::section);
    problems.throwIfAny();
    return reader.config();
  }

  /** The keys, collected and checked one after the other. */
  private static final class Reader {
    private final Problems problems;
    private final Map<String, Integer> lines = new HashMap<>();
    private NameSet environment = DEFAULT.environment;
    private List<String> users = DEFAULT.users;
    private int leastNice = DEFAULT.leastNice;
    private int programs = DEFAULT.programs;
    private int programsPerUser = DEFAULT.programsPerUser;
    private int requestBytes = DEFAULT.requestBytes;
    private Duration killGrace = DEFAULT.killGrace;
    private boolean killAtStop = DEFAULT.killAtStop;

    Reader(Problems problems) {
      this.problems = problems;
    }

    RexecConfig config() {
      return new RexecConfig(
          environment,
          users,
          leastNice,
          programs,
          programsPerUser,
          requestBytes,
          killGrace,
          killAtStop);
    }

    void section(SectionFile.Section section) {
      switch (section.name()) {
        case "Accept", "Limits", "Programs" ->
            section.keys().forEach(key -> key(section.name(), key));
        default ->
            problems.add(
                section.line(),
                1,
                "no section has the name "
                    + Utf8.show(section.name())
                    + ": there are [Accept], [Limits], [Programs]");
      }
    }

    private void key(String section, SectionFile.Key key) {
      String name = section + "." + key.name();
      Integer before = lines.putIfAbsent(name, key.line());
      if (before != null) {
        problems.add(
            key.line(), key.start(), key.name() + " again, after line " + before + ": remove one");
      }
      switch (name) {
        case "Accept.Environment" -> environment = Keys.variables(key, problems);
        case "Accept.User" -> users = List.copyOf(Keys.names(key, Keys.USER, problems));
        case "Accept.Nice" -> leastNice = number(key, -20, 19);
        case "Limits.Programs" -> programs = number(key, 1, 100_000);
        case "Limits.ProgramsPerUser" -> programsPerUser = number(key, 1, 100_000);
        case "Limits.RequestBytes" -> requestBytes = number(key, 4096, 1 << 20);
        case "Programs.KillGrace" -> killGrace = duration(key);
        case "Programs.AtStop" -> killAtStop = choice(key, "leave", "kill");
        default ->
            problems.add(
                key.line(), key.start(), "no key of [" + section + "]: " + Utf8.show(key.name()));
      }
    }

    private int number(SectionFile.Key key, int least, int most) {
      try {
        int number = Integer.parseInt(key.value().bytes());
        if (number >= least && number <= most) {
          return number;
        }
      } catch (NumberFormatException _) {
        // Said below.
      }
      wrong(key, "a number from " + least + " to " + most);
      return least;
    }

    private Duration duration(SectionFile.Key key) {
      Optional<Duration> time = Durations.parse(key.value().bytes());
      if (time.isEmpty()) {
        wrong(key, "a time such as 500ms, 10s or 2min");
      }
      return time.orElse(Duration.ZERO);
    }

    private boolean choice(SectionFile.Key key, String no, String yes) {
      if (!key.value().bytes().equals(no) && !key.value().bytes().equals(yes)) {
        wrong(key, no + " or " + yes);
      }
      return key.value().bytes().equals(yes);
    }

    private void wrong(SectionFile.Key key, String takes) {
      problems.add(
          key.line(),
          key.value().column(),
          key.name() + " takes " + takes + ", not " + Utf8.show(key.value().bytes()));
    }
  }
}
