package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The sample policy module compiles, by the commands that the documents give. */
final class SelinuxIT {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

  @TempDir private Path directory;

  @Test
  void theModuleCompiles() throws Exception {
    Programs.need("checkmodule", "checkpolicy");
    Programs.need("semodule_package", "semodule-utils");
    Command.succeed(
        "cp \"$1\"/* \"$2\"; cd \"$2\"; " + commands(), ROOT.resolve("docs/selinux"), directory);
    assertThat(directory.resolve("qtfs.pp")).isNotEmptyFile();
  }

  /** Those that need no SELinux in the kernel. */
  private static String commands() throws Exception {
    return String.join(
        "\n",
        Files.readAllLines(ROOT.resolve("docs/security.md")).stream()
            .filter(line -> line.startsWith("checkmodule") || line.startsWith("semodule_package"))
            .toList());
  }
}
