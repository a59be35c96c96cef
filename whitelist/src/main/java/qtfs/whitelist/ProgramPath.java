package qtfs.whitelist;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The {@code Program=} of a rule: a file, or a directory with a {@code /} at its end.
 *
 * <p>It is asked two questions. {@link #concerns} is generous: a file is the rule's by whatever
 * name it was reached, so that a second name is no way around the rule. {@link #allows} is strict:
 * the file must have been called as the rule writes it.
 *
 * @param text absolute, without {@code .}, {@code ..} or {@code //} in it
 */
record ProgramPath(String text) {

  /**
   * The file that a program's name has led to.
   *
   * @param called the path as it was called, or found in {@code PATH}
   * @param real the same without symbolic links; that of the open file
   */
  record Found(String called, String real) {}

  boolean isDirectory() {
    return text.endsWith("/");
  }

  /** Whether the file is one that this rule is about. */
  boolean concerns(Found found) {
    if (isDirectory()) {
      return found.real().startsWith(text) || isCalledBelow(found);
    }
    return found.called().equals(text) || found.real().equals(text) || isSameFile(found.real());
  }

  private boolean isCalledBelow(Found found) {
    return isClean(found.called()) && found.called().startsWith(text);
  }

  /** A hard link, or this rule's own path being a symbolic link. */
  private boolean isSameFile(String real) {
    try {
      return Files.isSameFile(Path.of(text), Path.of(real));
    } catch (IOException | RuntimeException _) {
      return false;
    }
  }

  /** Whether the file was called by a name that this rule allows. */
  boolean allows(Found found) {
    if (isDirectory()) {
      return found.real().startsWith(text) && isCalledBelow(found);
    }
    return found.called().equals(text);
  }

  /** Whether a path is absolute and says where it leads, but for symbolic links. */
  static boolean isClean(String path) {
    return path.startsWith("/")
        && !path.contains("//")
        && !(path + "/").contains("/./")
        && !(path + "/").contains("/../");
  }
}
