package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The names, kinds and labels in docs/metrics.md are those of a scrape, all of them. */
final class MetricsDocumentTest {
  /** {@code | `name` | kind | `label`, `label` | meaning |}. */
  private static final Pattern ROW =
      Pattern.compile(
          "(?m)^\\| `((?:qtfs_proxy|qtfs_build|process)_\\w+)` \\| (\\w+) \\|([^|]*)\\|");

  private static final Pattern WORD = Pattern.compile("`(\\w+)`");
  private static final Pattern TYPE = Pattern.compile("(?m)^# TYPE (\\w+) (\\w+)$");
  private static final Pattern LABEL = Pattern.compile("(\\w+)=\"");

  @TempDir Path directory;

  private record Family(String kind, Set<String> labels) {}

  private static Map<String, Family> documented() throws IOException {
    Map<String, Family> families = new TreeMap<>();
    ROW.matcher(Files.readString(Path.of("../docs/metrics.md")))
        .results()
        .forEach(
            row -> families.put(row.group(1), new Family(row.group(2), words(WORD, row.group(3)))));
    return families;
  }

  private static Map<String, Family> shown(String body) {
    Map<String, Family> families = new TreeMap<>();
    TYPE.matcher(body)
        .results()
        .forEach(
            type ->
                families.put(
                    type.group(1), new Family(type.group(2), labels(body, type.group(1)))));
    return families;
  }

  /** Of all series of a family; a histogram's own are left out. */
  private static Set<String> labels(String body, String name) {
    Set<String> labels = new TreeSet<>();
    Pattern.compile("(?m)^" + name + "(?:_bucket|_sum|_count)?\\{(.*)} ")
        .matcher(body)
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

  @Test
  void documentAndScrapeAgree() throws Exception {
    try (Peer _ = Peer.open(directory)) {
      assertThat(documented()).hasSizeGreaterThan(15);
      assertThat(shown(Scrape.of(directory.resolve("run")).body())).isEqualTo(documented());
    }
  }

  /** Reasons and limits are labels' values, and an interface too. */
  @Test
  void everyReasonAndEveryLimitIsDocumented() throws Exception {
    String document = Files.readString(Path.of("../docs/metrics.md"));
    for (Refusal refusal : Refusal.values()) {
      assertThat(document).contains("| `" + refusal.word() + "` |");
    }
    for (Limit limit : Limit.values()) {
      assertThat(document).contains("| `" + limit.option() + "` |");
    }
  }
}
