package qtfs.testing;

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

/**
 * Every input that the fuzzer has kept goes through its target, see {@code tools/fuzz}: a module's
 * test says what its targets are.
 */
public abstract class FuzzCorpus {
  private final Map<String, Target> targets;

  /** What the fuzzer calls. */
  @FunctionalInterface
  public interface Target {
    void run(byte[] input) throws Exception;
  }

  /**
   * The targets of the module of the test's class.
   *
   * @param targets by the simple name of their class
   */
  protected FuzzCorpus(Map<String, Target> targets) {
    this.targets = new TreeMap<>(targets);
  }

  @TestFactory
  public final Stream<DynamicTest> takesEveryInputThatWasKept() {
    return targets.entrySet().stream()
        .map(
            target ->
                DynamicTest.dynamicTest(
                    target.getKey(), () -> replay(target.getKey(), target.getValue())));
  }

  private void replay(String name, Target target) throws Exception {
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
  public final void everyTargetHasInputsAndEveryInputATarget() throws Exception {
    assertThat(list(corpus()).stream().map(path -> String.valueOf(path.getFileName())))
        .containsExactlyInAnyOrderElementsOf(targets.keySet());
  }

  private Path corpus() throws Exception {
    return Path.of(requireNonNull(getClass().getResource("/fuzz")).toURI());
  }

  private static List<Path> list(Path directory) throws Exception {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.sorted().toList();
    }
  }
}
