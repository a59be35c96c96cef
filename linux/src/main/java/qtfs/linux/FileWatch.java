package qtfs.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * Whether a file has changed, for who asks every half second or so: its content, its mode, another
 * file under its name, or none.
 *
 * <p>Asks the path instead of subscribing to inotify, because any symbolic link on the way may be
 * what changes: a ConfigMap is replaced by one rename of a link above the file. A change counts
 * once the file has been the same for two questions, so that one which is being written is left
 * alone. One thread.
 */
public final class FileWatch {
  private static final Map<String, Object> MISSING = Map.of();

  private final Path path;
  private Map<String, Object> known;
  private Map<String, Object> last;

  /** Begins with the file as it is now: made before the file is read, no change is missed. */
  public FileWatch(Path path) {
    this.path = path;
    this.known = state();
    this.last = known;
  }

  public Path path() {
    return path;
  }

  /** Whether the file has settled as something else than when this was last true. */
  public boolean changed() {
    Map<String, Object> now = state();
    boolean settled = now.equals(last);
    last = now;
    if (!settled || now.equals(known)) {
      return false;
    }
    known = now;
    return true;
  }

  /** The time of the last change of the inode covers what is written and what is set. */
  private Map<String, Object> state() {
    try {
      return Files.readAttributes(path, "unix:dev,ino,size,ctime");
    } catch (IOException gone) {
      return MISSING; // or out of reach, which reading it will tell
    }
  }
}
