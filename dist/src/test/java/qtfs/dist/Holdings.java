package qtfs.dist;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** What a running process holds, by /proc: what a fault must not make more of. */
final class Holdings {
  private final Path process;

  Holdings(long pid) {
    process = Path.of("/proc", Long.toString(pid));
  }

  /** Its descriptors, each with what it leads to. */
  List<String> files() throws IOException {
    List<String> files = new ArrayList<>();
    try (DirectoryStream<Path> fds = Files.newDirectoryStream(process.resolve("fd"))) {
      for (Path fd : fds) {
        files.add(fd.getFileName() + " " + target(fd));
      }
    }
    return files;
  }

  private static String target(Path fd) {
    try {
      return Files.readSymbolicLink(fd).toString();
    } catch (IOException closed) {
      return "closed";
    }
  }

  /**
   * A file of each of its threads.
   *
   * @param names those that count, all if empty
   */
  List<String> ofThreads(String file, Set<String> names) throws IOException {
    List<String> all = new ArrayList<>();
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(process.resolve("task"))) {
      for (Path thread : threads) {
        try {
          if (names.isEmpty() || names.contains(Files.readString(thread.resolve("comm")).strip())) {
            all.add(Files.readString(thread.resolve(file)).strip());
          }
        } catch (IOException ended) {
          // Between the list and here.
        }
      }
    }
    all.removeIf(String::isEmpty);
    return all;
  }
}
