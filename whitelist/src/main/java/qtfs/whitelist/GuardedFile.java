package qtfs.whitelist;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/**
 * A file that decides what a peer may do, so that only root and the user who runs us may have
 * written it.
 *
 * <p>It must be a regular file, no symbolic link, owned by one of the two and writable by nobody
 * else. The JDK cannot ask an open file for these, so it asks the path before and after reading,
 * and takes the bytes only if both answers are the same.
 */
final class GuardedFile {
  private static final int ROOT = 0;
  // linux/stat.h
  private static final int TYPE = 0170000;
  private static final int REGULAR = 0100000;
  private static final int SYMBOLIC_LINK = 0120000;
  private static final int OTHERS_WRITE = 0022;

  private final Path path;
  private final Problems problems;

  GuardedFile(Path path, Problems problems) {
    this.path = path;
    this.problems = problems;
  }

  /**
   * Reads it; loose permissions become problems beside those that the content may have.
   *
   * @param most the bytes it can have
   * @param missing what to do if it does not exist
   * @throws WhitelistException if there is no content
   */
  byte[] read(int most, String missing) throws WhitelistException {
    try {
      Map<String, Object> before = attributes();
      requireRegular(number(before, "mode"));
      checkMode(number(before, "mode"));
      checkOwner(number(before, "uid"), effectiveUser());
      byte[] bytes;
      try (InputStream in = Files.newInputStream(path, NOFOLLOW_LINKS)) {
        bytes = in.readNBytes(most + 1);
      }
      if (!before.equals(attributes())) {
        throw problems.with("changed while it was read: try again");
      }
      if (bytes.length > most) {
        throw problems.with("has more than " + most + " bytes: this is no whitelist");
      }
      return withoutByteOrderMark(bytes);
    } catch (NoSuchFileException e) {
      throw problems.with("does not exist: " + missing, e);
    } catch (AccessDeniedException e) {
      throw problems.with("cannot be read, permission denied: run this program as root", e);
    } catch (IOException e) {
      throw problems.with("cannot be read: " + e.getMessage(), e);
    }
  }

  /** Asks of a directory what is asked of the files in it. */
  void checkDirectory() throws IOException {
    Map<String, Object> attributes = attributes();
    checkMode(number(attributes, "mode"));
    checkOwner(number(attributes, "uid"), effectiveUser());
  }

  private Map<String, Object> attributes() throws IOException {
    return Files.readAttributes(
        path, "unix:mode,uid,dev,ino,size,lastModifiedTime,ctime", NOFOLLOW_LINKS);
  }

  private static int number(Map<String, Object> attributes, String name) {
    return (Integer) requireNonNull(attributes.get(name));
  }

  private void requireRegular(int mode) throws WhitelistException {
    if ((mode & TYPE) == SYMBOLIC_LINK) {
      throw problems.with("is a symbolic link: put the file itself there, or name it");
    }
    if ((mode & TYPE) != REGULAR) {
      throw problems.with("is not a regular file: put one there");
    }
  }

  private void checkMode(int mode) {
    if ((mode & OTHERS_WRITE) != 0) {
      problems.add(
          String.format(
              "is writable by group or others (mode %04o): run chmod go-w %s", mode & 07777, path));
    }
  }

  /**
   * @param user who runs us
   */
  void checkOwner(int owner, int user) {
    if (owner != ROOT && owner != user) {
      problems.add("belongs to uid " + owner + ", not to root: run chown root " + path);
    }
  }

  /** The effective uid; root, the stricter answer, where /proc does not tell. */
  static int effectiveUser() {
    try {
      return (Integer) requireNonNull(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
    } catch (IOException _) {
      return ROOT;
    }
  }

  private byte[] withoutByteOrderMark(byte[] bytes) {
    if (!Utf8.bytes(bytes).startsWith("\u00ef\u00bb\u00bf")) {
      return bytes;
    }
    problems.add(1, 1, "byte order mark: save the file as UTF-8 without one");
    return Arrays.copyOfRange(bytes, 3, bytes.length);
  }
}
