package qtfs.dist;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The manual pages are there, can be read, and tell of every option that the programs have. */
final class ManualsIT {
  private static final Path MAN = Units.image().resolve("share/man");
  private static final Pattern OPTION =
      Pattern.compile("(?<![\\w-])(--[a-z][a-z-]*|-[a-zA-Z](?![\\w-]))");
  private static final Pattern REFERENCE = Pattern.compile("([a-z_.-]+)\\(([1-8])\\)");

  static List<String> pages() {
    try (Stream<Path> files = Files.walk(MAN)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> MAN.relativize(file).toString())
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    process.waitFor();
    return output;
  }

  private static String text(String page) throws Exception {
    Programs.need("groff", "groff-base");
    return run("groff", "-man", "-Tascii", "-P-cbou", "-rLL=500n", MAN.resolve(page).toString());
  }

  @Test
  void everyProgramAndFileHasAPage() {
    assertThat(pages())
        .contains(
            "man1/rexec.1",
            "man5/qtfs-whitelist.5",
            "man5/rexec-policy.5",
            "man5/rexec-whitelist.5",
            "man5/rexec_server.conf.5",
            "man7/qtfs.7",
            "man8/engine.8",
            "man8/qtcfg.8",
            "man8/qtinfo.8",
            "man8/rexec_agent.8",
            "man8/rexec_server.8",
            "man8/udsproxyd.8");
    assertThat(CommandText.programs())
        .allSatisfy(program -> assertThat(pages()).anyMatch(p -> p.contains("/" + program + ".")));
  }

  @ParameterizedTest
  @MethodSource("pages")
  void isWithoutWarnings(String page) throws Exception {
    Programs.need("groff", "groff-base");
    // A JSON object of the control protocol has no place to break.
    String out =
        run(
            "groff",
            "-ww",
            "-Wbreak",
            "-man",
            "-Tutf8",
            "-rLL=80n",
            "-z",
            MAN.resolve(page).toString());
    assertThat(out).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("pages")
  void refersToPagesThatExist(String page) throws Exception {
    String text = text(page);
    String see = text.substring(text.indexOf("SEE ALSO"));
    List<MatchResult> references =
        REFERENCE.matcher(see.lines().skip(1).findFirst().orElse("")).results().toList();
    assertThat(references).as(see).isNotEmpty();
    assertThat(references)
        .allSatisfy(
            each ->
                assertThat(pages())
                    .contains(
                        "man%s/%s.%s".formatted(each.group(2), each.group(1), each.group(2))));
  }

  @ParameterizedTest
  @CsvSource({
    "8, udsproxyd --help",
    "8, udsproxyd ctl --help",
    "8, udsproxyd ctl expose --help",
    "8, engine --help",
    "1, rexec --help",
    "8, rexec_agent --help",
    "8, rexec_server --help",
    "8, qtcfg help",
    "8, qtcfg help load",
    "8, qtcfg help save",
    "8, qtcfg help explain",
    "8, qtcfg --help",
    "8, qtinfo help",
    "8, qtinfo help top",
    "8, qtinfo --help"
  })
  void tellsOfEveryOption(String section, String words) throws Exception {
    String[] command = words.split(" ");
    String page = "man%s/%s.%s".formatted(section, command[0], section);
    String known = text(page);
    command[0] = Units.image().resolve("bin/" + command[0]).toString();
    List<String> options =
        OPTION.matcher(run(command)).results().map(MatchResult::group).distinct().toList();
    assertThat(options).isNotEmpty().allSatisfy(option -> assertThat(known).contains(option));
  }

  @ParameterizedTest
  @CsvSource({
    "udsproxyd --help, udsproxyd 1 10.0.0.1",
    "udsproxyd ctl --help, udsproxyd ctl sessions",
    "engine --help, engine 16 1 10.0.0.1",
    "rexec --help, rexec uname -n",
    "rexec_agent --help, rexec_agent &",
    "rexec_server --help, rexec_server --check",
    "qtcfg help, qtcfg diff",
    "qtinfo help, qtinfo top"
  })
  void helpBeginsWithAnExample(String words, String example) throws Exception {
    String[] command = words.split(" ");
    command[0] = Units.image().resolve("bin/" + command[0]).toString();
    String help = run(command);
    assertThat(help).contains("\n  " + example);
    assertThat(help.indexOf(example))
        .isLessThan(help.toLowerCase(java.util.Locale.ROOT).indexOf("usage:"));
  }
}
