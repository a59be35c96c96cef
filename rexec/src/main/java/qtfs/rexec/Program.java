package qtfs.rexec;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import qtfs.linux.ByteStrings;
import qtfs.linux.Errno;

/**
 * Where a program's name has led: looked up once, by the rules of execvp(3), so that what is
 * executed is what was found.
 *
 * @param path a byte string, empty if there is none
 * @param errno why there is none, else 0
 */
record Program(String path, int errno) {
  private static final String DEFAULT_PATH = "/bin:/usr/bin"; // as glibc's execvp

  /** Whether there is a file to execute, which may still turn out not to be executable. */
  boolean isFound() {
    return errno == 0;
  }

  /**
   * Looks a program up.
   *
   * @param name a byte string; with a {@code /} in it taken as it is
   * @param searchPath of the server, {@code PATH}
   */
  static Program find(String name, @Nullable String searchPath) {
    if (name.indexOf('/') >= 0) {
      return new Program(name, 0);
    }
    int errno = Errno.ENOENT;
    for (String dir : (searchPath == null ? DEFAULT_PATH : searchPath).split(":", -1)) {
      String candidate = (dir.isEmpty() ? "." : dir) + "/" + name;
      Path path = path(candidate);
      if (path == null || name.isEmpty() || !Files.isRegularFile(path)) {
        continue;
      } else if (Files.isExecutable(path)) {
        return new Program(candidate, 0);
      }
      errno = Errno.EACCES;
    }
    return new Program("", errno);
  }

  private static @Nullable Path path(String bytes) {
    try {
      return Path.of(ByteStrings.text(bytes));
    } catch (InvalidPathException e) {
      // Not to be said in this JVM's locale: such a program is given with its directory.
      return null;
    }
  }
}
