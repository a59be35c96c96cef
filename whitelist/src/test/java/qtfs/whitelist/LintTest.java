package qtfs.whitelist;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class LintTest {
  private static final String MOUNT = "[Mount]\nPath=/m\n";

  @TempDir private Path directory;

  private List<String> lint(String text) throws IOException {
    Path file = Files.writeString(directory.resolve("whitelist"), text.replace("|", "\n"));
    return Lint.of(file).stream()
        .map(finding -> finding.toString().substring(file.toString().length() + 1).strip())
        .toList();
  }

  @Test
  void hasNothingToSayAboutAGoodFile() throws IOException {
    assertThat(
            lint(
                MOUNT
                    + "# x\n[Open]\nPath=/home/VMs;/var/lib/libvirt/;\n[Kill]\nPath=qemu;qemu-kvm\n"
                    + "[Udsaccept]\nPath=/run/x/\n[Udsconnect]\nPath=/run/x;/run/xy"))
        .isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      value = {
        "[Opne]|Path=/a ~ 3:2: warning: no group has the name 'Opne': it is ignored",
        "[open]|Path=/a ~ 3:2: warning: the C engine ignores [open]: write [Open]",
        "[Open]|path=/a ~ 4:1: warning: the key 'path' is ignored: a list is called Path",
        "[Open]|Path=/a|Path=/b ~ 5:1: warning: replaces the list of [Open] in line 4: write one",
        "[Udsconnect]|Path=/a;/b/ ~ 4:9: warning: entry '/b/' ends in /, so that it allows nothing",
        "[Udsconnect]|Path=a ~ 4:6: warning: entry 'a' is relative: it allows only what",
        "[Open]|Path=/a/../b ~ 4:6: warning: entry '/a/../b' has a component .., so that nothing",
        "[Open]|Path=/a;/a ~ 4:9: warning: entry '/a' is there already",
        "[Open]|Path=/a/b;/a ~ 4:6: warning: entry '/a/b' says nothing that '/a' does not: remove",
        "[Open]|Path=/a//b ~ 4:6: warning: entry '/a//b' has // in it",
        "[Open]|Path=/a ;/b ~ 4:6: warning: entry '/a ' ends in a blank, which belongs to it",
        "[Open]|Path=a ~ 4:6: entry 'a' is not absolute: start it with /",
        "[Open]|Path=/a;; ~ 4:9: entry '' is empty, and the kernel would match every path",
        "nonsense ~ 3:1: neither [Group], nor Path=..., nor # comment",
      })
  void tellsLineAndColumn(String text, String finding) throws IOException {
    assertThat(lint(MOUNT + text)).singleElement().asString().startsWith(finding);
  }

  @Test
  void missesAMount() throws IOException {
    assertThat(lint("[Open]\nPath=/a\n"))
        .containsExactly("warning: has no [Mount] entry, and engine does not start without one");
    assertThat(lint("[Mount]\nPath=\n"))
        .containsExactly(
            "2: warning: [Mount] is empty, and engine does not start without an entry");
  }

  @Test
  void reportsEverythingAtOnce() throws IOException {
    String many = IntStream.range(0, 65).mapToObj(i -> "/" + i).collect(Collectors.joining(";"));
    Path file = directory.resolve("whitelist");
    Files.writeString(
        file,
        "[open]\nPath="
            + many
            + "\n[Kill]\nPath=/"
            + "x".repeat(20)
            + "\n[X]\n[Read]\nPath=/a;/a\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
    Files.setAttribute(file, "unix:uid", 12345);
    assertThat(Lint.of(file))
        .extracting(finding -> finding.severity() + " " + finding.problem().line())
        .containsExactlyInAnyOrder(
            "ERROR 0",
            "ERROR 0",
            "WARNING 0",
            "WARNING 1",
            "ERROR 2",
            "ERROR 4",
            "WARNING 5",
            "WARNING 7");
  }

  @Test
  void aMissingFileIsAnError() {
    assertThat(Lint.of(directory.resolve("none")))
        .singleElement()
        .matches(finding -> finding.severity() == Lint.Severity.ERROR)
        .asString()
        .endsWith("/none: does not exist: name another file");
  }
}
