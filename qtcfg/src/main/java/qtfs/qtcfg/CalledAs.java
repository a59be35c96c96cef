package qtfs.qtcfg;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The word that a program was called by. The launcher is a script, to which the kernel gives the
 * whole path instead of that word: where the search through PATH leads to that path, it was the
 * bare name, or might as well have been.
 */
final class CalledAs {
  private static final Pattern COLON = Pattern.compile(":");

  private CalledAs() {}

  /**
   * The bare name if the path is what it stands for, otherwise the path.
   *
   * @param path as the launcher was started
   * @param searched directories, separated by colons
   */
  static String word(String path, @Nullable String searched) {
    int slash = path.lastIndexOf('/');
    String name = path.substring(slash + 1);
    if (slash < 0 || searched == null) {
      return path;
    }
    for (String directory : COLON.split(searched)) {
      Path candidate = Path.of(directory.isEmpty() ? "." : directory, name);
      if (Files.isExecutable(candidate)) {
        return candidate.toString().equals(path) ? name : path;
      }
    }
    return path;
  }
}
