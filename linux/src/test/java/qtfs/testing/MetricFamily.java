package qtfs.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * A family of metrics, as docs/metrics.md and a scrape have it.
 *
 * @param labels of all its series; a histogram's own are left out
 */
public record MetricFamily(String kind, Set<String> labels) {
  private static final Path DOCUMENT = Path.of("../docs/metrics.md");
  private static final Pattern WORD = Pattern.compile("`(\\w+)`");
  private static final Pattern TYPE = Pattern.compile("(?m)^# TYPE (\\w+) (\\w+)$");
  private static final Pattern LABEL = Pattern.compile("(\\w+)=\"");

  /**
   * Those of the document, by name.
   *
   * @param prefixes of the names, alternatives of a pattern
   */
  public static Map<String, MetricFamily> documented(String prefixes) throws IOException {
    // | `name` | kind | `label`, `label` | meaning |
    Pattern row =
        Pattern.compile("(?m)^\\| `((?:" + prefixes + ")_\\w+)` \\| (\\w+) \\|([^|]*)\\|");
    Map<String, MetricFamily> families = new TreeMap<>();
    row.matcher(Files.readString(DOCUMENT))
        .results()
        .forEach(
            found ->
                families.put(
                    found.group(1), new MetricFamily(found.group(2), words(WORD, found.group(3)))));
    return families;
  }

  /** Those of a scrape, by name. */
  public static Map<String, MetricFamily> shown(String scrape) {
    Map<String, MetricFamily> families = new TreeMap<>();
    TYPE.matcher(scrape)
        .results()
        .forEach(
            found ->
                families.put(
                    found.group(1),
                    new MetricFamily(found.group(2), labels(scrape, found.group(1)))));
    return families;
  }

  private static Set<String> labels(String scrape, String name) {
    Set<String> labels = new TreeSet<>();
    Pattern.compile("(?m)^" + name + "(?:_bucket|_sum|_count)?\\{(.*)} ")
        .matcher(scrape)
        .results()
        .map(series -> words(LABEL, series.group(1)))
        .forEach(labels::addAll);
    labels.remove("le");
    return labels;
  }

  private static Set<String> words(Pattern pattern, String text) {
    Set<String> words = new TreeSet<>();
    pattern.matcher(text).results().map((MatchResult match) -> match.group(1)).forEach(words::add);
    return words;
  }
}
