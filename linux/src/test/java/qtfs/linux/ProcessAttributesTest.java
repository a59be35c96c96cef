package qtfs.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class ProcessAttributesTest {
  @Test
  void theLimitOfOpenFilesIsNeverLowered() throws IOException {
    long before = softLimit();
    assertThat(ProcessAttributes.raiseOpenFiles(1)).isEqualTo(before);
    assertThat(softLimit()).isEqualTo(before);
    assertThat(ProcessAttributes.raiseOpenFiles(before)).isEqualTo(before);
    long raised = ProcessAttributes.raiseOpenFiles(before + 1);
    // Only a process that may raise its hard limit too gets more than that.
    assertThat(raised).isIn(before, before + 1);
    assertThat(softLimit()).isEqualTo(raised);
  }

  private static long softLimit() throws IOException {
    String limits = Files.readString(Path.of("/proc/self/limits"));
    String line = limits.lines().filter(l -> l.startsWith("Max open files")).findFirst().orElse("");
    return Long.parseLong(line.split(" +")[3]);
  }

  @Test
  void theUmaskIsSetAndGivenBack() {
    int before = ProcessAttributes.umask(0137);
    assertThat(ProcessAttributes.umask(before)).isEqualTo(0137);
  }

  @Test
  void theNumbersAreTheProcesss() throws IOException {
    assertThat(ProcessAttributes.pid()).isEqualTo(ProcessHandle.current().pid());
    assertThat(ProcessAttributes.uid())
        .isEqualTo(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
  }

  @Test
  void theNameIsWhatPsShows() throws IOException {
    String before = Files.readString(Path.of("/proc/self/comm")).strip();
    try {
      ProcessAttributes.name("qtfs-test");
      assertThat(Path.of("/proc/self/comm")).hasContent("qtfs-test");
    } finally {
      ProcessAttributes.name(before);
    }
  }
}
