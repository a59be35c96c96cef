package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/**
 * What the usual call of rexec loads when it starts a JVM, which decides how long that takes: a
 * library that creeps in is noticed here. Who brings one in on purpose changes the lists below.
 */
final class StartUpIT {
  private static final Set<String> JARS = Set.of("rexec.jar", "linux.jar", "udsproxy.jar");
  private static final Set<String> MODULES = Set.of("java.base", "jdk.unsupported");

  /** Not there where nothing could compile it. */
  private static final String CALLS = "libqtfscall.so";

  private static final Set<String> NATIVE =
      Set.of(
          "libjava.so",
          "libjimage.so",
          "libjli.so",
          "libjvm.so",
          "libnet.so",
          "libnio.so",
          CALLS,
          "libsimdsort.so",
          "libsyslookup.so",
          "libzip.so",
          "ld-linux-x86-64.so.2",
          "ld-linux-aarch64.so.1",
          "libc.so.6",
          "libdl.so.2",
          "libm.so.6",
          "libpthread.so.0",
          "librt.so.1");

  // A quarter more than when they were set: 70, 1289, 1630.
  private static final int MOST_OF_OURS = 87;
  private static final int MOST_CLASSES = 1610;
  private static final int MOST_CALLS = 2040;

  /** One is of a switch over types in the JDK; each more costs a start about a millisecond. */
  private static final int MOST_NOT_IN_THE_CACHE = 4;

  private static final String IN_THE_CACHE = "shared objects file";

  @AutoClose private static TwoHosts hosts;

  @BeforeAll
  static void up() throws Exception {
    hosts = TwoHosts.up();
  }

  /** Where each class comes from that a call loads. */
  private static List<String> origins(String options) throws Exception {
    Path log = hosts.shared().resolve("classes");
    Running.Result result =
        hosts.sh(
            Host.A,
            "QTFS_JAVA_OPTIONS=\"$1 -Xlog:class+load:file=$2\" \"$REXEC\" /bin/true </dev/null",
            options,
            log.toString());
    assertThat(result.code()).as("%s", result).isZero();
    try (Stream<String> lines = Files.lines(log)) {
      return lines
          .filter(line -> line.contains(" source: "))
          .map(line -> line.substring(line.indexOf(" source: ") + 9))
          .toList();
    }
  }

  @Test
  void classesComeFromFewLibraries() throws Exception {
    List<String> origins = origins("-XX:AOTMode=off");
    assertThat(origins).hasSizeBetween(500, MOST_CLASSES);
    List<String> ours = origins.stream().filter(origin -> origin.startsWith("file:")).toList();
    assertThat(ours).hasSizeBetween(20, MOST_OF_OURS);
    assertThat(ours)
        .allSatisfy(origin -> assertThat(Path.of(origin).getFileName().toString()).isIn(JARS));
    assertThat(origins.stream().filter(origin -> origin.startsWith("jrt:")))
        .allSatisfy(origin -> assertThat(origin.substring("jrt:/".length())).isIn(MODULES));
  }

  @Test
  void theCacheHasThem() throws Exception {
    List<String> origins = origins("");
    assertThat(origins.stream().filter(origin -> origin.startsWith(IN_THE_CACHE)))
        .hasSizeGreaterThan(500);
    assertThat(origins.stream().filter(origin -> !origin.startsWith(IN_THE_CACHE)))
        .hasSizeLessThanOrEqualTo(MOST_NOT_IN_THE_CACHE)
        .noneMatch(origin -> origin.startsWith("file:"));
  }

  /** System calls, the JVM's own included, but for those by which its threads wait. */
  @Test
  void theKernelIsCalledSeldom() throws Exception {
    Programs.need("strace", "strace");
    Path counts = hosts.shared().resolve("calls");
    Running.Result result =
        hosts.sh(
            Host.A,
            "REXEC_AGENT=no strace -f -c -U name,calls -o \"$1\" \"$REXEC\" /bin/true </dev/null",
            counts.toString());
    assertThat(result.code()).as("%s", result).isZero();
    int calls =
        Pattern.compile("^(?!futex|total)\\S+ +(\\d+)$", Pattern.MULTILINE)
            .matcher(Files.readString(counts))
            .results()
            .mapToInt(match -> Integer.parseInt(match.group(1)))
            .sum();
    assertThat(calls).isBetween(500, MOST_CALLS);
  }

  @Test
  void nativeLibrariesAreTheJvmsOwnAndTheOneForCalls() throws Exception {
    Running client =
        hosts.startSh(
            Host.A, "REXEC_AGENT=no exec \"$REXEC\" /bin/sh -c 'echo ready; exec sleep 1000'");
    Await.until("the program runs", () -> client.output().contains("ready"));
    Path image = Path.of(System.getProperty("qtfs.image"));
    Set<String> loaded = nativeLibraries(client.pid());
    client.signal("TERM");
    assertThat(client.result().code()).isEqualTo(128 + 15);
    assertThat(loaded).contains("libjvm.so");
    assertThat(loaded.contains(CALLS)).isEqualTo(Files.exists(image.resolve("lib/native", CALLS)));
    assertThat(NATIVE).containsAll(loaded);
  }

  private static Set<String> nativeLibraries(long pid) throws IOException {
    String maps = Files.readString(Path.of("/proc/" + pid + "/maps"));
    return Pattern.compile("/([^/\n]+\\.so[^/\n]*)$", Pattern.MULTILINE)
        .matcher(maps)
        .results()
        .map((MatchResult match) -> match.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
