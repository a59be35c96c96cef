package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two builds of one commit give the same jars, and nothing in them tells when or where. */
final class ReproducibleIT {
  private static final Path IMAGE =
      Path.of(Objects.requireNonNull(System.getProperty("qtfs.image")));
  private static final Instant TIME =
      Instant.parse(Objects.requireNonNull(System.getProperty("qtfs.timestamp")));
  private static final Path PROJECT = Path.of("..").toAbsolutePath().normalize();

  @TempDir private Path directory;

  @Test
  void datesEveryEntryAlike() throws Exception {
    for (String module : List.of("linux", "whitelist", "udsproxy", "rexec", "qtcfg", "engine")) {
      try (JarFile jar = new JarFile(IMAGE.resolve("lib/" + module + ".jar").toFile())) {
        Set<LocalDateTime> times = new HashSet<>();
        for (JarEntry entry : jar.stream().toList()) {
          times.add(entry.getTimeLocal());
        }
        assertThat(times).as(module).containsExactly(LocalDateTime.ofInstant(TIME, ZoneOffset.UTC));
        assertThat(jar.getManifest().getMainAttributes().keySet())
            .noneMatch(key -> key.toString().matches("Built-By|Build-Time|Build-Jdk"));
      }
    }
  }

  @Test
  void datesEveryFileOfTheImageAlike() throws Exception {
    for (Path file : ImageFiles.below(IMAGE)) {
      if (!file.startsWith(IMAGE.resolve("lib/aot"))) {
        assertThat(Files.getLastModifiedTime(file).toInstant()).as("%s", file).isEqualTo(TIME);
      }
    }
  }

  /** In another directory, with Maven on the same JVM: zlib, which packs the jars, is the JVM's. */
  @Test
  void givesTheSameJarAgain() throws Exception {
    Path copy = directory.resolve("somewhere else");
    Files.createDirectory(copy);
    Command.succeed(
        "cp \"$1/pom.xml\" \"$2\"; mkdir \"$2/whitelist\"; cp -R \"$1/whitelist/pom.xml\" \"$1/whitelist/src\" \"$2/whitelist\"; "
            // Nothing of it is needed but that it is there: whitelist is tested with its test-jar.
            + "mkdir \"$2/linux\"; cp \"$1/linux/pom.xml\" \"$2/linux\"; "
            + "sed -i -E '/<module>/{/linux|whitelist/!d}' \"$2/pom.xml\"",
        PROJECT,
        copy);
    Command.succeed(
        "cd \"$2\"; HOME=$3 JAVA_HOME=$4 \"$1/mvnw\" -q -B -o -Dmaven.test.skip -Dexec.skip -Dspotless.check.skip package",
        PROJECT,
        copy,
        System.getProperty("user.home"),
        System.getProperty("qtfs.maven.java"));
    try (Stream<Path> jars = Files.list(copy.resolve("whitelist/target"))) {
      Path again = jars.filter(file -> file.toString().endsWith(".jar")).findFirst().orElseThrow();
      assertThat(again).hasSameBinaryContentAs(IMAGE.resolve("lib/whitelist.jar"));
    }
  }
}
