package qtfs.udsproxy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Errno;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.LinuxException;
import qtfs.linux.Log;
import qtfs.linux.UnixSocket;
import qtfs.whitelist.Group;
import qtfs.whitelist.QtfsWhitelist;

/**
 * How far a peer reaches on this host: the sockets it may connect to and the files it may open.
 *
 * <p>Both are judged twice, by the path that the peer names and by the file that has been opened,
 * so that a symbolic link cannot lead out of an entry. Opening is by O_PATH first, which touches
 * neither devices nor pipes. Immutable, for any thread; may block as long as the file system does.
 */
final class Reach {
  /** What a passed file may be opened with; above all not O_CREAT, O_EXCL and O_TRUNC. */
  static final int FILE_FLAGS = Fd.O_ACCMODE | Fd.O_APPEND | Fd.O_NONBLOCK | Fd.O_DSYNC | Fd.O_SYNC;

  private final QtfsWhitelist whitelist;
  private final Path whitelistFile;
  private final String rexecSocket;
  private final boolean anySocket;
  private final boolean anyFile;
  private final Instant loaded = Instant.now();

  /**
   * Makes the rules of one host.
   *
   * @param whitelistFile where it came from, for the log lines that say what to add
   * @param rexecSocket always reachable: its server has a whitelist of its own
   * @param anySocket whether the whitelist does not matter for sockets
   * @param anyFile whether it does not matter for files
   */
  Reach(
      QtfsWhitelist whitelist,
      Path whitelistFile,
      String rexecSocket,
      boolean anySocket,
      boolean anyFile) {
    this.whitelist = whitelist;
    this.whitelistFile = whitelistFile;
    this.rexecSocket = rexecSocket;
    this.anySocket = anySocket;
    this.anyFile = anyFile;
  }

  QtfsWhitelist whitelist() {
    return whitelist;
  }

  /** The same rules for another whitelist from the same file. */
  Reach with(QtfsWhitelist other) {
    return new Reach(other, whitelistFile, rexecSocket, anySocket, anyFile);
  }

  /** When the whitelist came into force. */
  Instant loaded() {
    return loaded;
  }

  /**
   * Finds the socket at a path.
   *
   * @return the socket's file, opened with O_PATH, to be connected to by {@link Fd#procPath}; owned
   *     by the caller
   * @throws RefusedException if the peer may not have it
   * @throws LinuxException if there is none
   */
  Fd openSocket(String path) throws IOException {
    boolean free = anySocket || path.equals(rexecSocket);
    if (!free && !whitelist.allows(Group.UDSACCEPT, path)) {
      throw notListed(path, Group.UDSACCEPT);
    }
    Fd fd = Fd.open(path, Fd.O_PATH, 0);
    try {
      if (!FileStatus.of(fd).isSocket()) {
        throw new RefusedException(
            path + " is a " + FileStatus.of(fd).kind() + ", not a socket", Errno.ECONNREFUSED);
      }
      if (!free) {
        requireInside(fd, path, Group.UDSACCEPT);
      }
      return fd;
    } catch (IOException e) {
      fd.close();
      throw e;
    }
  }

  /**
   * Does the same for a socket whose path has no symbolic link in it, without waiting for a file
   * system.
   *
   * @return owned by the caller; null if {@link #openSocket} has to be asked, be it for why not
   */
  @Nullable Fd openSocketAtOnce(String path) {
    if (!anySocket && !path.equals(rexecSocket)) {
      String entry = whitelist.matchingEntry(Group.UDSACCEPT, path).orElse("");
      if (entry.isEmpty() || !Path.of(path).startsWith(entry)) {
        return null;
      }
    }
    Fd fd = Fd.openCached(path);
    if (fd == null || leadsTo(fd, path)) {
      return fd;
    }
    fd.close();
    return null;
  }

  /** Whether a path is what the kernel calls a file: then so are all entries that it is under. */
  private static boolean leadsTo(Fd fd, String path) {
    try {
      return Fcntl.path(fd.number()).equals(path);
    } catch (LinuxException e) {
      return false;
    }
  }

  /**
   * Opens a regular file that was passed on the other host, as it was opened there.
   *
   * @return owned by the caller
   * @throws RefusedException if the peer may not have it
   */
  Fd openFile(Frame.ScmRights passed) throws IOException {
    return openFile(passed.path(), passed.flags());
  }

  /** Opens a regular file by its path and flags; see {@link #openFile(Frame.ScmRights)}. */
  Fd openFile(String path, int flags) throws IOException {
    List<Group> groups = groupsFor(flags);
    return open(
        path,
        anyFile ? List.of() : groups,
        FileStatus::isRegular,
        "regular file",
        flags & FILE_FLAGS);
  }

  /**
   * Opens a directory or a device that was passed on the other host, as it was opened there. {@link
   * CommonDevice Two} devices need no entry, all others do, whatever files the peer may open.
   *
   * @return owned by the caller
   * @throws RefusedException if the peer may not have it
   */
  Fd openPlace(FdFrame.Place passed) throws IOException {
    return switch (passed.type()) {
      case DIRECTORY -> openDirectory(passed.path(), passed.flags());
      case DEVICE ->
          open(
              passed.path(),
              isCommon(passed) ? List.of() : groupsFor(passed.flags()),
              status -> status.isCharacterDevice() && status.node() == passed.device(),
              "character device of the number that was passed",
              (passed.flags() & FILE_FLAGS) | Fd.O_NOCTTY);
    };
  }

  private static boolean isCommon(FdFrame.Place passed) {
    return CommonDevice.of(passed.device())
        .filter(device -> device.path().equals(passed.path()))
        .isPresent();
  }

  private Fd openDirectory(String path, int flags) throws IOException {
    if ((flags & Fd.O_ACCMODE) != Fd.O_RDONLY) {
      throw new RefusedException("access mode " + (flags & Fd.O_ACCMODE) + " of a directory");
    }
    boolean byPathOnly = (flags & Fd.O_PATH) != 0;
    List<Group> groups = byPathOnly ? List.of(Group.OPEN) : List.of(Group.OPEN, Group.READDIR);
    return open(
        path,
        anyFile ? List.of() : groups,
        FileStatus::isDirectory,
        "directory",
        byPathOnly ? Fd.O_PATH : flags & FILE_FLAGS);
  }

  /**
   * Opens what is at a path.
   *
   * @param groups which all have to allow it
   * @param wanted what it has to be, judged before it is opened for more than O_PATH
   * @param what that is, in words
   */
  private Fd open(
      String path, List<Group> groups, Predicate<FileStatus> wanted, String what, int flags)
      throws IOException {
    for (Group group : groups) {
      if (!whitelist.allows(group, path)) {
        throw notListed(path, group);
      }
    }
    try (Fd found = Fd.open(path, Fd.O_PATH, 0)) {
      if (!wanted.test(FileStatus.of(found))) {
        throw new RefusedException(
            path + " is a " + FileStatus.of(found).kind() + ", not a " + what);
      }
      for (Group group : groups) {
        requireInside(found, path, group);
      }
      return found.reopen(flags);
    }
  }

  private static List<Group> groupsFor(int flags) throws RefusedException {
    return switch (flags & Fd.O_ACCMODE) {
      case Fd.O_RDONLY -> List.of(Group.OPEN, Group.READ);
      case Fd.O_WRONLY -> List.of(Group.OPEN, Group.WRITE);
      case Fd.O_RDWR -> List.of(Group.OPEN, Group.READ, Group.WRITE);
      default -> throw new RefusedException("access mode " + (flags & Fd.O_ACCMODE));
    };
  }

  /** Requires that the file behind a path lies where one of the entries leads. */
  private void requireInside(Fd opened, String path, Group group) throws IOException {
    Path real = Files.readSymbolicLink(Path.of(opened.procPath()));
    // The entry that the path's own text is under is most often the one, and looking through links
    // is the expensive part.
    String likely = whitelist.matchingEntry(group, path).orElse("");
    if (!likely.isEmpty() && isInside(real, likely, group)) {
      return;
    }
    for (String entry : whitelist.entries(group)) {
      if (isInside(real, entry, group)) {
        return;
      }
    }
    throw new RefusedException(
        path + " leads to " + real + ", which no entry of [" + group.title() + "] covers");
  }

  private static boolean isInside(Path real, String entry, Group group) {
    try {
      return real.startsWith(Path.of(entry).toRealPath());
    } catch (IOException leadsNowhere) {
      Log.debug("[" + group.title() + "] " + entry + " does not exist and covers nothing");
      return false;
    }
  }

  private RefusedException notListed(String path, Group group) {
    return new RefusedException(path + " is not in " + whitelistFile, group.line(path));
  }

  /** Connects to the socket behind an O_PATH descriptor; see {@link UnixSocket#connect}. */
  static int connect(Fd socket, Fd target) {
    return UnixSocket.connect(socket, target.procPath());
  }
}
