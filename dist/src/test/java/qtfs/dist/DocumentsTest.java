package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The documents lead to what exists, and say the same in both languages and in the code. */
final class DocumentsTest {
  private static final Path ROOT = Path.of("").toAbsolutePath().resolve("..").normalize();
  private static final Pattern LINK = Pattern.compile("]\\(([^)\\s]+)\\)");
  private static final Pattern CALL = Pattern.compile("Log\\.(?:warn|error)\\(");
  private static final Pattern TEXT = Pattern.compile("\"((?:[^\"\\\\]|\\\\.)*)\"");

  /** A test class or a fuzz target, and perhaps a method of it. */
  private static final Pattern NAMED_TEST =
      Pattern.compile("`([A-Z][A-Za-z0-9]*(?:Test|IT|Fuzz|Promises))(?:\\.([a-z][A-Za-z0-9]*))?`");

  /** Shorter ones are words between two values. */
  private static final int TELLING = 10;

  static List<Path> documents() throws IOException {
    try (Stream<Path> root = Files.list(ROOT);
        Stream<Path> docs = Files.walk(ROOT.resolve("docs"))) {
      return Stream.concat(root, docs).filter(f -> f.toString().endsWith(".md")).sorted().toList();
    }
  }

  @ParameterizedTest
  @MethodSource("documents")
  void everyLinkLeadsSomewhere(Path document) throws IOException {
    List<String> links =
        LINK.matcher(Files.readString(document)).results().map(found -> found.group(1)).toList();
    for (String link : links) {
      if (link.startsWith("https:") || link.startsWith("http:")) {
        continue;
      }
      String[] parts = link.split("#", 2);
      Path target = parts[0].isEmpty() ? document : document.resolveSibling(parts[0]).normalize();
      assertThat(target).as(link).exists();
      if (parts.length > 1) {
        assertThat(anchors(target)).as(link).contains(parts[1]);
      }
    }
  }

  private static List<String> anchors(Path document) throws IOException {
    return headings(document).stream().map(DocumentsTest::anchor).toList();
  }

  private static String anchor(String heading) {
    return heading
        .replaceFirst("^#+ ", "")
        .toLowerCase(Locale.ROOT)
        .replaceAll("[^\\p{L}\\p{N} _-]", "")
        .replace(' ', '-');
  }

  private static List<String> headings(Path document) throws IOException {
    List<String> headings = new ArrayList<>();
    boolean code = false;
    for (String line : Files.readAllLines(document)) {
      code ^= line.startsWith("```");
      if (!code && line.matches("#+ .*")) {
        headings.add(line);
      }
    }
    return headings;
  }

  @Test
  void bothLanguagesHaveTheSameCommands() throws IOException {
    Path chinese = ROOT.resolve("README.zh-CN.md");
    Path english = ROOT.resolve("README.md");
    assertThat(scripts(chinese)).isEqualTo(scripts(english)).isNotEmpty();
    assertThat(headings(chinese).stream().map(heading -> heading.indexOf(' ')))
        .isEqualTo(headings(english).stream().map(heading -> heading.indexOf(' ')).toList());
  }

  private static List<String> scripts(Path document) throws IOException {
    return ShellBlock.of(document).stream().map(ShellBlock::script).toList();
  }

  @ParameterizedTest
  @ValueSource(strings = {"security.md", "coverage.md", "reliability.md"})
  void everyTestThatIsNamedIsThere(String document) throws IOException {
    Map<String, String> tests = tests();
    List<String> missing = new ArrayList<>();
    String text = Files.readString(ROOT.resolve("docs").resolve(document));
    List<MatchResult> names = NAMED_TEST.matcher(text).results().toList();
    for (MatchResult name : names) {
      String test = tests.getOrDefault(name.group(1), "");
      if (test.isEmpty()
          || !test.contains(name.group(2) == null ? "" : " " + name.group(2) + "(")) {
        missing.add(name.group());
      }
    }
    assertThat(names).isNotEmpty();
    assertThat(missing).isEmpty();
  }

  @Test
  void everyRowOfTheThreatModelHasATest() throws IOException {
    String security = Files.readString(ROOT.resolve("docs/security.md"));
    List<String> rows =
        security
            .lines()
            .dropWhile(line -> !line.startsWith("| what he tries |"))
            .takeWhile(line -> line.startsWith("|"))
            .skip(2)
            .filter(
                line -> !line.endsWith("| | |") && !line.startsWith("| **Root of this host** |"))
            .toList();
    assertThat(rows).hasSizeGreaterThan(20).allMatch(row -> NAMED_TEST.matcher(row).find());
  }

  /** The texts of all test classes, those of one name together. */
  private static Map<String, String> tests() throws IOException {
    Map<String, String> tests = new HashMap<>();
    for (String module :
        List.of("linux", "whitelist", "udsproxy", "rexec", "qtcfg", "engine", "dist")) {
      try (Stream<Path> files = Files.walk(ROOT.resolve(module).resolve("src/test/java"))) {
        for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
          String name = file.getFileName().toString().replace(".java", "");
          tests.merge(name, Files.readString(file), String::concat);
        }
      }
    }
    return tests;
  }

  @Test
  void everyWarningAndErrorOfTheLogIsExplained() throws IOException {
    String operations = Files.readString(ROOT.resolve("docs/operations.md"));
    String table = operations.substring(operations.indexOf("### What each log line means"));
    List<String> unexplained = new ArrayList<>();
    for (Path source : sources()) {
      String code = Files.readString(source);
      for (MatchResult call : CALL.matcher(code).results().toList()) {
        List<String> texts = texts(code, call.end());
        if (!texts.isEmpty() && texts.stream().noneMatch(table::contains)) {
          unexplained.add(source.getFileName() + ": " + texts);
        }
      }
    }
    assertThat(unexplained).as("give each a row in docs/operations.md").isEmpty();
  }

  private static List<Path> sources() throws IOException {
    List<Path> sources = new ArrayList<>();
    for (String module : List.of("linux", "whitelist", "udsproxy", "rexec", "engine")) {
      try (Stream<Path> files = Files.walk(ROOT.resolve(module).resolve("src/main/java"))) {
        files.filter(file -> file.toString().endsWith(".java")).forEach(sources::add);
      }
    }
    return sources;
  }

  /** The texts in a call that are long enough to tell the message from others. */
  private static List<String> texts(String code, int start) {
    int end = code.indexOf(");", start);
    return TEXT.matcher(code.substring(start, end))
        .results()
        .map(found -> found.group(1).replace("\\\"", "").strip())
        .filter(text -> text.length() >= TELLING)
        .toList();
  }
}
