package qtfs.qtcfg;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CalledAsTest {
  @TempDir private Path directory;

  private Path program(String name) throws Exception {
    Path file = Files.createDirectory(directory.resolve(name)).resolve("qtcfg");
    return Files.createFile(
        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
  }

  @Test
  void theFirstOfThePathIsCalledByItsName() throws Exception {
    Path first = program("a");
    Path second = program("b");
    String searched = "/nonexistent::" + first.getParent() + ":" + second.getParent();
    assertThat(CalledAs.word(first.toString(), searched)).isEqualTo("qtcfg");
    assertThat(CalledAs.word(second.toString(), searched)).isEqualTo(second.toString());
  }

  @Test
  void whatThePathDoesNotLeadToKeepsItsPath() throws Exception {
    Path program = program("a");
    assertThat(CalledAs.word(program.toString(), "/nonexistent")).isEqualTo(program.toString());
    assertThat(CalledAs.word(program.toString(), null)).isEqualTo(program.toString());
    assertThat(CalledAs.word("./qtcfg", directory.resolve("a").toString())).isEqualTo("./qtcfg");
  }

  @Test
  void aNameIsAName() {
    assertThat(CalledAs.word("qtcfg", "/usr/bin")).isEqualTo("qtcfg");
  }
}
