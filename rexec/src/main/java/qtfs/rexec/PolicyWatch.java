package qtfs.rexec;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import qtfs.linux.FileWatch;

/**
 * Whether one of the files in a directory has changed in place, for who asks every half second or
 * so. Those that come and go change the directory, which is watched as the other files are. One
 * thread.
 */
final class PolicyWatch {
  private final Path directory;
  private final Map<Path, FileWatch> files = new HashMap<>();

  /** Begins with the files as they are now. */
  PolicyWatch(Path directory) {
    this.directory = directory;
    boolean ignored = changed();
  }

  boolean changed() {
    boolean changed = false;
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, "*.policy")) {
      for (Path file : entries) {
        changed |= files.computeIfAbsent(file, FileWatch::new).changed();
      }
    } catch (IOException e) {
      files.clear(); // no directory, so nothing in it
    }
    files.keySet().removeIf(Files::notExists);
    return changed;
  }
}
