package qtfs.dist;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The units are what systemd takes, confine what they can, and start programs that exist. */
final class UnitsIT {
  private static final Pattern OPTION = Pattern.compile("(?<= )--[a-z-]+");

  @TempDir private Path units;

  @BeforeAll
  static void systemd() throws Exception {
    Programs.need("systemd-analyze", "systemd");
  }

  @BeforeEach
  void copy() throws Exception {
    Units.copyTo(units);
  }

  static Stream<String> names() {
    return Units.names().stream();
  }

  /** A template is looked at as an instance. */
  private Path instance(String name) throws Exception {
    Path unit = units.resolve(name);
    return name.contains("@")
        ? Files.copy(
            unit,
            units.resolve(
                name.replace("@", name.contains("-link") ? "@10.0.0.1\\x3a12121" : "@dpu1")))
        : unit;
  }

  @ParameterizedTest
  @MethodSource("names")
  void systemdFindsNothingWrong(String name) throws Exception {
    Process verify =
        new ProcessBuilder("systemd-analyze", "verify", "--man=no", instance(name).toString())
            .redirectErrorStream(true)
            .start();
    String complaints = new String(verify.getInputStream().readAllBytes(), UTF_8);
    List<String> aboutOurs =
        complaints.lines().filter(l -> l.contains("qtfs") || l.contains(units.toString())).toList();
    assertThat(aboutOurs).as(complaints).isEmpty();
    assertThat(verify.waitFor()).as(complaints).isZero();
  }

  /** 100 is exposed to everything. What keeps a service from less, its unit says. */
  @ParameterizedTest
  @CsvSource({"udsproxyd.service, 37", "udsproxyd@.service, 37", "engine.service, 56"})
  void isConfined(String name, int exposed) throws Exception {
    Process security =
        new ProcessBuilder(
                "systemd-analyze",
                "security",
                "--offline=true",
                "--no-pager",
                "--threshold=" + exposed,
                instance(name).toString())
            .redirectErrorStream(true)
            .start();
    String report = new String(security.getInputStream().readAllBytes(), UTF_8);
    assertThat(security.waitFor()).as(report).isZero();
  }

  @Test
  void everyOptionExists() throws Exception {
    for (String name : Units.names()) {
      for (String line : Files.readAllLines(Units.directory().resolve(name))) {
        if (!line.matches("Exec[A-Za-z]+=/usr/bin/.*")) {
          continue;
        }
        String program = line.replaceAll(".*=/usr/bin/([a-z_]+).*", "$1");
        Process help =
            new ProcessBuilder(Units.image().resolve("bin/" + program).toString(), "--help")
                .start();
        String text = new String(help.getInputStream().readAllBytes(), UTF_8);
        assertThat(OPTION.matcher(line).results().map(found -> found.group()))
            .as(name)
            .allSatisfy(option -> assertThat(text).contains(option));
      }
    }
  }

  @Test
  void theRunDirectoriesAreClosedToOthers() throws Exception {
    assertThat(Files.readAllLines(Units.image().resolve("lib/tmpfiles.d/qtfs.conf")))
        .contains("d /run/qtfs 0700 root root -", "d /run/rexec 0700 root root -");
  }
}
