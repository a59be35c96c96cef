package qtfs.dist;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.dist.TwoHosts.Host;

/** The dashboard and the manifests name what the programs have. */
final class DashboardIT {
  private static final Path ROOT = Path.of("").toAbsolutePath().resolve("..").normalize();
  private static final Pattern METRIC = Pattern.compile("(?:qtfs|process)_[a-z_]+");

  private static Set<String> metrics(String text) {
    return METRIC
        .matcher(text)
        .results()
        .map(MatchResult::group)
        .map(name -> name.replaceFirst("_bucket$", ""))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Set<String> shown() throws Exception {
    return metrics(Files.readString(Units.image().resolve("share/grafana/qtfs.json")));
  }

  /** The counters of the kernel module are engine's, and are compared with the page there. */
  @Test
  void theProxyHasEveryMetricThatTheDashboardShows() throws Exception {
    Programs.need("curl", "curl");
    Set<String> ofTheProxy = shown();
    ofTheProxy.removeIf(name -> name.startsWith("qtfs_module_"));
    try (TwoHosts hosts = TwoHosts.up()) {
      assertThat(hosts.rexec("uname").code()).isZero();
      String scrape =
          hosts
              .sh(Host.A, "curl -s --unix-socket /run/qtfs/metrics.sock http://localhost/metrics")
              .output();
      Set<String> there =
          metrics(scrape.lines().filter(l -> l.startsWith("# TYPE")).collect(Collectors.joining()));
      assertThat(there).containsAll(ofTheProxy);
    }
  }

  @Test
  void theDocumentHasEveryMetricThatTheDashboardShows() throws Exception {
    assertThat(metrics(Files.readString(ROOT.resolve("docs/metrics.md")))).containsAll(shown());
    assertThat(shown()).hasSizeGreaterThan(20);
  }

  @Test
  void theManifestsAreWellFormedAndUdsproxydTakesTheirOptions() throws Exception {
    Programs.needPython("yaml", "python3-yaml");
    List<String> lines = checkManifests(ROOT.resolve("docs/k8s/udsproxyd.yaml"));
    assertThat(lines).hasSize(1);
    assertThat(lines.getFirst()).startsWith("args --");
    Process help =
        new ProcessBuilder(Units.image().resolve("bin/udsproxyd").toString(), "--help").start();
    String options = new String(help.getInputStream().readAllBytes(), UTF_8);
    for (String argument : lines.getFirst().substring("args ".length()).split(" ")) {
      assertThat(options).contains(argument.replaceFirst("=.*", "="));
    }
  }

  @Test
  void aFieldThatTheApiDoesNotHaveIsTold(@TempDir Path directory) throws Exception {
    Programs.needPython("yaml", "python3-yaml");
    String manifest = Files.readString(ROOT.resolve("docs/k8s/udsproxyd.yaml"));
    Path misspelt = directory.resolve("misspelt.yaml");
    Files.writeString(misspelt, manifest.replace("hostPID:", "hostPid:"));
    assertThat(checkManifests(misspelt))
        .anyMatch(line -> line.endsWith("PodSpec has no such field"));
  }

  private static List<String> checkManifests(Path file) throws Exception {
    Process check =
        new ProcessBuilder(Programs.PYTHON, Programs.script("manifests.py"), file.toString())
            .redirectErrorStream(true)
            .start();
    return new String(check.getInputStream().readAllBytes(), UTF_8).lines().toList();
  }
}
