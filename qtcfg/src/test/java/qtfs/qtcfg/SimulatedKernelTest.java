package qtfs.qtcfg;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** D3: the simulated kernel answers as the real modules did, and is one for all processes. */
final class SimulatedKernelTest {
  @TempDir private Path directory;

  private static List<String> recorded(Role role) throws IOException {
    try (InputStream in =
        requireNonNull(
            SimulatedKernelTest.class.getResourceAsStream("cli-" + role.word() + ".txt"))) {
      return new String(in.readAllBytes(), UTF_8)
          .lines()
          .map(line -> line.startsWith("   list(") ? line : line.replaceAll(" +ret=", " ret="))
          .map(line -> line.replace(" (no NUL terminator is written if byte[3]=aa)", ""))
          .toList();
    }
  }

  /** Runs of levels that the recording has twice are looked for anywhere. */
  @ParameterizedTest
  @EnumSource
  void answersAsRecorded(Role role) throws IOException {
    SimulatedKernel kernel = new SimulatedKernel(directory).load(role);
    SimulatedKernel.Result result = kernel.run(KernelRules.class, List.of(role.name()));
    assertThat(result.err()).isEmpty();
    assertThat(result.out().lines()).hasSizeGreaterThan(60);
    assertThat(recorded(role)).containsAll(result.out().lines().toList());
  }

  @Test
  void isOneKernelForManyProcessesAtOnce() throws Exception {
    SimulatedKernel kernel = new SimulatedKernel(directory).load(Role.SERVER);
    List<Process> processes =
        IntStream.range(0, 6)
            .mapToObj(i -> List.of("-w", "open", "-x", "/" + i, "-x", "/same"))
            .map(arguments -> start(kernel, arguments))
            .toList();
    processes.forEach(SimulatedKernel::finish);
    assertThat(processes.stream().collect(Collectors.partitioningBy(p -> p.exitValue() == 0)))
        .satisfies(byLuck -> assertThat(byLuck.get(true)).hasSize(1));
    assertThat(requireNonNull(kernel.lists().get("Open")))
        .containsExactlyInAnyOrder("/0", "/1", "/2", "/3", "/4", "/5", "/same");
  }

  private static Process start(SimulatedKernel kernel, List<String> arguments) {
    try {
      return kernel
          .builder(Qtcfg.class, arguments)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .start();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
