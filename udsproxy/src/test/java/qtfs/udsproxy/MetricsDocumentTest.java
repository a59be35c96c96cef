package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.testing.MetricFamily;

/** The names, kinds and labels in docs/metrics.md are those of a scrape, all of them. */
final class MetricsDocumentTest {
  @TempDir Path directory;

  @Test
  void documentAndScrapeAgree() throws Exception {
    try (Peer _ = Peer.open(directory)) {
      Map<String, MetricFamily> documented =
          MetricFamily.documented("qtfs_proxy|qtfs_build|process");
      assertThat(documented).hasSizeGreaterThan(15);
      assertThat(MetricFamily.shown(Scrape.of(directory.resolve("run")).body()))
          .isEqualTo(documented);
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
