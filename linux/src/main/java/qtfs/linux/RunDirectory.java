package qtfs.linux;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/** The directory of a daemon's sockets and lock: its user's own, and nobody else may enter it. */
public final class RunDirectory {
  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rwx------");
  private static final int OTHERS = 0077;

  /** What sun_path has, less its NUL, a slash and the longest name that a socket has in there. */
  private static final int LONGEST =
      UnixSocket.SUN_PATH_LENGTH - 1 - "/uds_proxy_diag.sock".length();

  private RunDirectory() {}

  /**
   * Makes the directory and those above it if they are missing, mode 0700, and closes it to others
   * if it is open to them.
   *
   * @throws IOException with one line that says what is in the way
   */
  public static void prepare(Path directory) throws IOException {
    try {
      Files.createDirectories(directory, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
    } catch (FileAlreadyExistsException e) {
      throw new IOException(
          "the run directory "
              + e.getFile()
              + " is no directory: move it away, or give another --run-dir",
          e);
    } catch (IOException e) {
      throw new IOException("cannot make the run directory " + directory + ": " + e, e);
    }
    FileStatus status = FileStatus.of(directory);
    requireOwn(directory, status);
    if ((status.permissions() & OTHERS) != 0) {
      Log.warn(directory + " was open to others, mode " + octal(status) + ": now it is 0700");
      Files.setPosixFilePermissions(directory, OWNER_ONLY);
    }
  }

  private static void requireOwn(Path directory, FileStatus status) throws IOException {
    if (status.uid() != ProcessAttributes.uid()) {
      throw new IOException(
          "the run directory "
              + directory
              + " belongs to user "
              + status.uid()
              + ": chown it to this one, or give another --run-dir");
    }
  }

  /**
   * Finds out whether {@link #prepare} would do, touching nothing.
   *
   * @throws IOException with one line that says what is in the way
   */
  public static void requireUsable(Path directory) throws IOException {
    int length = directory.toString().getBytes(UTF_8).length;
    if (length > LONGEST) {
      throw new IOException(
          "the run directory's path has "
              + length
              + " bytes: sockets in it need "
              + LONGEST
              + " at most");
    }
    Path there = directory.toAbsolutePath();
    while (Files.notExists(there) && there.getParent() != null) {
      there = there.getParent();
    }
    if (!Files.isDirectory(there)) {
      throw new IOException(
          "the run directory "
              + there
              + " is no directory: move it away, or give another"
              + " --run-dir");
    }
    if (there.equals(directory.toAbsolutePath())) {
      requireOwn(directory, FileStatus.of(directory));
    } else if (!Files.isWritable(there)) {
      throw new IOException(
          "cannot make the run directory " + directory + ": " + there + " is not writable");
    }
  }

  private static String octal(FileStatus status) {
    return "0" + Integer.toOctalString(status.permissions());
  }
}
