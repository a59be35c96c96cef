package qtfs.whitelist;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads one section of a policy file. Whatever is wrong is a problem, and there is no rule then.
 */
final class RuleReader {
  private static final String REST = "...";

  private final SectionFile.Section section;
  private final Problems problems;
  private final Map<String, Integer> lines = new HashMap<>();
  private @Nullable ProgramPath program;
  private final List<ArgumentList> arguments = new ArrayList<>();
  private final List<String> users = new ArrayList<>();
  private NameSet environment = NameSet.EMPTY;
  private final Set<Integer> requesters = new HashSet<>();
  private final Set<String> digests = new HashSet<>();

  RuleReader(SectionFile.Section section, Problems problems) {
    this.section = section;
    this.problems = problems;
  }

  /**
   * @param label of the rule
   */
  Optional<ProgramRule> read(String label) {
    section.keys().forEach(this::key);
    if (program == null && !lines.containsKey("Program")) {
      missing("Program", "write Program=/path, or Program=/directory/");
    }
    if (!lines.containsKey("Arguments")) {
      missing("Arguments", "write Arguments=... to allow any, Arguments= for none");
    }
    return program == null
        ? Optional.empty()
        : Optional.of(
            new ProgramRule(label, program, arguments, users, environment, requesters, digests));
  }

  private void missing(String key, String remedy) {
    problems.add(section.line(), 1, "[" + section.name() + "] has no " + key + ": " + remedy);
  }

  private void key(SectionFile.Key key) {
    Integer before = lines.putIfAbsent(key.name(), key.line());
    if (before != null && !key.name().equals("Arguments")) {
      String text = key.name() + " again, after line " + before + ": write one list";
      problems.add(key.line(), key.start(), text);
      return;
    }
    switch (key.name()) {
      case "Program" -> program(key);
      case "Arguments" -> arguments(key);
      case "User" -> users.addAll(Keys.names(key, Keys.USER, problems));
      case "Environment" -> environment = Keys.variables(key, problems);
      case "Requester" -> requesters(key);
      case "Sha256" -> digests(key);
      default ->
          problems.add(
              key.line(),
              key.start(),
              "no key has the name "
                  + Utf8.show(key.name())
                  + ": there are Program, Arguments, User, Environment, Requester, Sha256");
    }
  }

  private void program(SectionFile.Key key) {
    String text = Utf8.decode(key.value().bytes()).orElse("");
    boolean right = ProgramPath.isClean(text) && text.length() > 1 && text.indexOf('\0') < 0;
    if (right) {
      program = new ProgramPath(text);
    } else {
      String remedy = "must be an absolute path without . or .. or // in it: ";
      add(key.value(), "Program " + remedy + Utf8.show(key.value().bytes()));
    }
  }

  private void arguments(SectionFile.Key key) {
    List<ArgumentPattern> patterns = new ArrayList<>();
    List<Keys.Item> items = Keys.split(key.value());
    boolean rest = !items.isEmpty() && items.getLast().text().equals(REST);
    for (Keys.Item item : rest ? items.subList(0, items.size() - 1) : items) {
      Optional<ArgumentPattern> pattern = ArgumentPattern.of(Keys.unescape(item.text()));
      if (pattern.isEmpty()) {
        String known = "\\ begins none of \\; \\* \\? \\\\: write \\\\ for a backslash";
        problems.add(key.line(), item.column(), known);
      } else if (item.text().equals(REST)) {
        problems.add(key.line(), item.column(), "... stands for all further ones: put it last");
      }
      patterns.add(pattern.orElse(ArgumentPattern.ANY));
    }
    arguments.add(new ArgumentList(Utf8.lenient(key.value().bytes()), patterns, rest));
  }

  private void requesters(SectionFile.Key key) {
    for (String uid : Keys.names(key, Keys.UID, problems)) {
      requesters.add(Integer.parseInt(uid));
    }
  }

  private void digests(SectionFile.Key key) {
    Keys.names(key, Keys.SHA256, problems)
        .forEach(digest -> digests.add(digest.toLowerCase(Locale.ROOT)));
  }

  private void add(KeyFile.Value value, String text) {
    problems.add(value.line(), value.column(), text);
  }
}
