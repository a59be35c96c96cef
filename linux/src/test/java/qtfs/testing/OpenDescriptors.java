package qtfs.testing;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/** The descriptors of this process, as they were at a moment. */
public record OpenDescriptors(Set<String> numbers) {
  public static OpenDescriptors now() {
    String[] numbers = new File("/proc/self/fd").list();
    return new OpenDescriptors(
        new HashSet<>(Arrays.asList(numbers == null ? new String[0] : numbers)));
  }

  /** Those that are there now and were not then, but for the class path's. */
  public Set<String> more() {
    Set<String> more = new HashSet<>(now().numbers);
    more.removeAll(numbers);
    more.removeIf(OpenDescriptors::isTheJvms);
    return more;
  }

  /** Waits until there are none of these. */
  public void awaitNoMore() {
    Await.until("no descriptor more than before, " + numbers, () -> more().isEmpty());
  }

  /** Of the class path, kept open once read, or gone by now. */
  private static boolean isTheJvms(String number) {
    try {
      String file = Files.readSymbolicLink(Path.of("/proc/self/fd/" + number)).toString();
      return file.endsWith(".jar") || file.endsWith("random");
    } catch (IOException e) {
      return true;
    }
  }
}
