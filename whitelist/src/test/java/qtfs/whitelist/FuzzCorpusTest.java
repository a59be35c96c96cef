package qtfs.whitelist;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every input that the fuzzer has kept goes through its target; see {@code tools/fuzz}. */
final class FuzzCorpusTest {
  private static final Map<String, Target> TARGETS =
      Map.of(
          "QtfsWhitelistFuzz", QtfsWhitelistFuzz::fuzzerTestOneInput,
          "RexecWhitelistFuzz", RexecWhitelistFuzz::fuzzerTestOneInput,
          "RexecPoliciesFuzz", RexecPoliciesFuzz::fuzzerTestOneInput,
          "RexecConfigFuzz", RexecConfigFuzz::fuzzerTestOneInput);

  private interface Target {
    void run(byte[] input) throws Exception;
  }

  @TestFactory
  Stream<DynamicTest> takesEveryInputThatWasKept() {
    return new TreeMap<>(TARGETS)
        .entrySet().stream()
            .map(
                target ->
                    DynamicTest.dynamicTest(
                        target.getKey(), () -> replay(target.getKey(), target.getValue())));
  }

  private static void replay(String name, Target target) throws Exception {
    List<Path> inputs = list(corpus().resolve(name));
    assertThat(inputs).isNotEmpty();
    for (Path input : inputs) {
      try {
        target.run(Files.readAllBytes(input));
      } catch (Exception | AssertionError e) {
        throw new AssertionError(name + " with " + input, e);
      }
    }
  }

  @Test
  void everyTargetHasInputsAndEveryInputATarget() throws Exception {
    assertThat(list(corpus()).stream().map(path -> String.valueOf(path.getFileName())))
        .containsExactlyInAnyOrderElementsOf(TARGETS.keySet());
  }

  private static Path corpus() throws Exception {
    return Path.of(requireNonNull(FuzzCorpusTest.class.getResource("/fuzz")).toURI());
  }

  private static List<Path> list(Path directory) throws Exception {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.sorted().toList();
    }
  }
}
