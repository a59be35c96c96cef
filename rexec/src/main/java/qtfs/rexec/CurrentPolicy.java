package qtfs.rexec;

import java.util.concurrent.atomic.AtomicReference;
import qtfs.linux.Log;

/**
 * The policy in force, and the files that it is read from again. Safe from any thread: who has
 * asked for it once keeps what he got.
 */
final class CurrentPolicy {
  private final PolicyFiles files;
  private final AtomicReference<Policy> current;

  private CurrentPolicy(PolicyFiles files, Policy policy) {
    this.files = files;
    this.current = new AtomicReference<>(policy);
  }

  /** Reads the files; a broken one ends the start. */
  static CurrentPolicy load(PolicyFiles files) throws PolicyFiles.BrokenException {
    return new CurrentPolicy(files, files.load());
  }

  Policy get() {
    return current.get();
  }

  /**
   * Reads the files again; one that is broken changes nothing, and every line of the log says so.
   */
  boolean reload() {
    try {
      current.set(files.load());
      return true;
    } catch (PolicyFiles.BrokenException e) {
      String.valueOf(e.getMessage())
          .lines()
          .forEach(line -> Log.error(line + " (the files as they were stay in force)"));
      return false;
    }
  }
}
