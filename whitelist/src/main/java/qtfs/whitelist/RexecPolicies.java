package qtfs.whitelist;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The rules in {@code /etc/rexec/policy.d/*.policy}: which programs are restricted, or allowed
 * beside the whitelist. Immutable.
 *
 * <p>Files of other names are passed over. Every file that is read, and the directory, must be as
 * {@link GuardedFile} asks.
 */
public final class RexecPolicies {
  private static final String SUFFIX = ".policy";
  private static final int MOST_BYTES = 1 << 20;
  private static final int MOST_FILES = 1000;

  private final List<ProgramRule> rules;

  private RexecPolicies(List<ProgramRule> rules) {
    this.rules = List.copyOf(rules);
  }

  /** Without a rule: the whitelist decides alone. */
  public static RexecPolicies none() {
    return new RexecPolicies(List.of());
  }

  /**
   * Reads the directory; without one there are no rules.
   *
   * @throws WhitelistException if anything is wrong, with all that is wrong in all files
   */
  public static RexecPolicies load(Path directory) throws WhitelistException {
    List<Problem> wrong = new ArrayList<>();
    List<ProgramRule> rules = new ArrayList<>();
    for (Path file : files(directory, wrong)) {
      Problems problems = new Problems(file);
      try {
        byte[] bytes = new GuardedFile(file, problems).read(MOST_BYTES, "it went while being read");
        rules.addAll(parse(bytes, String.valueOf(file.getFileName()), problems));
      } catch (WhitelistException e) {
        wrong.addAll(e.problems());
      }
    }
    if (!wrong.isEmpty()) {
      throw new WhitelistException(wrong);
    }
    return new RexecPolicies(rules);
  }

  private static List<Path> files(Path directory, List<Problem> wrong) {
    List<Path> files = new ArrayList<>();
    if (Files.notExists(directory, NOFOLLOW_LINKS)) {
      return files;
    }
    Problems problems = new Problems(directory);
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      new GuardedFile(directory, problems).checkDirectory();
      for (Path entry : entries) {
        String name = String.valueOf(entry.getFileName());
        if (name.endsWith(SUFFIX) && !name.startsWith(".")) {
          files.add(entry);
        }
      }
    } catch (NoSuchFileException _) {
      return List.of(); // gone since
    } catch (IOException e) {
      problems.add("cannot be read: " + e.getMessage());
    }
    if (files.size() > MOST_FILES) {
      problems.add("has more than " + MOST_FILES + " files: write several rules into one");
      files.clear();
    }
    wrong.addAll(problems.all());
    files.sort(null);
    return files;
  }

  static List<ProgramRule> parse(byte[] bytes, String fileName, Problems problems)
      throws WhitelistException {
    List<ProgramRule> rules = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (SectionFile.Section section : SectionFile.parse(bytes, problems)) {
      if (!names.add(section.name())) {
        problems.add(section.line(), 1, "[" + section.name() + "] again: give it another name");
      }
      new RuleReader(section, problems)
          .read(fileName + "[" + section.name() + "]")
          .ifPresent(rules::add);
    }
    problems.throwIfAny();
    return rules;
  }

  /** In the order of the files' names, and in each as they stand. */
  public List<ProgramRule> rules() {
    return rules;
  }

  /** Those that are about a file; where there is one, the whitelist has no say. */
  public List<ProgramRule> concerning(ProgramRule.Target target) {
    return rules.stream().filter(rule -> rule.concerns(target)).toList();
  }
}
