package qtfs.qtcfg;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the single letters do on lines that were not recorded. */
final class ShortOptionsTest {
  @TempDir private Path directory;
  private SimulatedKernel kernel = new SimulatedKernel(Path.of(""));

  @BeforeEach
  void load() {
    kernel = new SimulatedKernel(directory).load(Role.SERVER);
  }

  @ParameterizedTest
  @ValueSource(strings = {"-z OPEN", "-zOpen", "-w open -z", "-w kill -z open", "x -z open y"})
  void oneListIsShownHoweverItIsNamed(String line) {
    kernel.qtcfg("-w", "open", "-x", "/a", "-w", "kill", "-x", "qemu");
    assertThat(kernel.qtcfg(line.split(" ")).out())
        .isEqualTo("Get qtfs <Open> white list:\n  [index:0][path:/a]\n");
  }

  @Test
  void theFirstFailureIsTheExitCode() {
    SimulatedKernel.Result result = kernel.qtinfo("-l", "FOO", "-w", "open", "-x", "/a");
    assertThat(result.out())
        .isEqualTo(
            """
            ERROR: Set qtfs log level:FOO failed.
            successed to add white list item:/a successed
            """);
    assertThat(result.code()).isEqualTo(1);
  }

  @Test
  void nothingIsDoneBehindAMistake() {
    SimulatedKernel.Result result = kernel.qtcfg("-w", "open", "-q", "-x", "/a");
    assertThat(result.err()).isEqualTo("qtcfg: invalid option -- 'q'\n");
    assertThat(result.out()).startsWith("Usage: qtcfg [OPTION].\n");
    assertThat(result.code()).isEqualTo(255);
    assertThat(kernel.lists()).isEmpty();
  }

  @Test
  void anIndexWithSomethingBehindItIsRefused() {
    kernel.qtcfg("-w", "open", "-x", "/a");
    for (String index : List.of("0x", "", " 0", "+0", "99999999999")) {
      SimulatedKernel.Result result = kernel.qtcfg("-w", "open", "-y", index);
      assertThat(result.out())
          .isEqualTo("ERROR: failed to delete white list index:" + index + "\n");
      assertThat(result.code()).isEqualTo(255);
    }
    assertThat(kernel.lists()).isEqualTo(Map.of("Open", List.of("/a")));
  }

  @Test
  void aPathIsBytes() {
    assertThat(kernel.qtcfg("-w", "open", "-x", "/é?", "-zopen").out())
        .isEqualTo(
            """
            successed to add white list item:/Ã©? successed
            Get qtfs <Open> white list:
              [index:0][path:/Ã©?]
            """);
  }

  @Test
  void theLongestPath() {
    String path = "/" + "x".repeat(4094);
    assertThat(kernel.qtcfg("-w", "open", "-x", path).code()).isZero();
    assertThat(kernel.lists()).isEqualTo(Map.of("Open", List.of(path)));
    assertThat(kernel.qtcfg("-w", "open", "-x", path + "x").out())
        .isEqualTo("ERROR: White list add len:4096 invalid\n");
  }
}
