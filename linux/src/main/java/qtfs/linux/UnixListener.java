package qtfs.linux;

import static qtfs.linux.LinuxException.check;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.UserPrincipal;
import org.jspecify.annotations.Nullable;

/**
 * A unix socket that others connect to and the file it is bound to, mode 0600 from its first moment
 * under any umask: one that listens, or one that datagrams are sent to.
 *
 * <p>Takes the place of a socket file that nobody listens on any more, and of nothing else: a live
 * socket and any other kind of file make {@link #bind} fail. Closing removes the file, if it is
 * still the one that was bound. Not thread-safe but for {@link #close}.
 */
public final class UnixListener implements Closeable {
  private final Path path;
  private final Fd socket;

  /** Null for an inherited one: its file is not ours to remove. */
  private final @Nullable FileStatus bound;

  private UnixListener(Path path, Fd socket, @Nullable FileStatus bound) {
    this.path = path;
    this.socket = socket;
    this.bound = bound;
  }

  /**
   * Binds and listens, without blocking on accept.
   *
   * @param path absolute, at most 107 bytes
   * @param backlog connections that wait to be accepted, cut by net.core.somaxconn
   * @throws IOException with what to do about it, if the directory is missing or the place is taken
   */
  public static UnixListener bind(Path path, int backlog) throws IOException {
    return bind(path, UnixSocket.Type.STREAM, backlog);
  }

  /**
   * Binds a socket of any type as {@link #bind(Path, int)} does; one of datagrams just receives.
   */
  public static UnixListener bind(Path path, UnixSocket.Type type, int backlog) throws IOException {
    removeDead(path);
    Fd socket = UnixSocket.open(type, false);
    try {
      String what = "cannot listen at " + path;
      int bound = UnixSocket.bindOwnerOnly(socket, path.toString());
      if (bound == -Errno.ENOENT) {
        throw new IOException(what + ": there is no such directory: mkdir -p " + path.getParent());
      }
      check(bound, what);
      UnixListener listener = new UnixListener(path, socket, FileStatus.ofLink(path));
      if (type != UnixSocket.Type.DGRAM) {
        check(UnixSocket.listen(socket, backlog), what);
      }
      return listener;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /**
   * A listener that somebody else has made and bound, such as {@link ListenFds}. Closing leaves its
   * file where it is.
   *
   * @param socket listening, not blocking; taken over
   */
  public static UnixListener inherited(Fd socket) throws LinuxException {
    return new UnixListener(Path.of(UnixSocket.boundName(socket)), socket, null);
  }

  /** Removes a socket file whose listener is gone; fails if anything else has the name. */
  private static void removeDead(Path path) throws IOException {
    FileStatus status;
    try {
      status = FileStatus.ofLink(path);
    } catch (LinuxException e) {
      if (e.errno() == Errno.ENOENT) {
        return;
      }
      throw e;
    }
    if (!status.isSocket()) {
      throw new IOException(
          path + " is a " + status.kind() + ", not a socket: move it away, then try again");
    }
    try (Fd probe = UnixSocket.open(UnixSocket.Type.STREAM, false)) {
      int result = UnixSocket.connect(probe, path.toString());
      if (result != -Errno.ECONNREFUSED && result != -Errno.ENOENT) {
        throw new IOException(path + " is in use by another program");
      }
    }
    Files.deleteIfExists(path);
  }

  public Path path() {
    return path;
  }

  /** The socket itself, to receive datagrams with; this object owns it. */
  public Fd socket() {
    return socket;
  }

  /**
   * Says who may connect, instead of the owner alone.
   *
   * @param mode permission bits, up to 0777, whatever the umask
   * @param owner null for the one that it has
   * @param group null for the one that it has
   */
  public void grant(int mode, @Nullable UserPrincipal owner, @Nullable GroupPrincipal group)
      throws IOException {
    // By a descriptor: the path may lead elsewhere by now, in a directory that others write to.
    try (Fd file = Fd.open(path, Fd.O_PATH)) {
      if (!isBoundTo(FileStatus.of(file))) {
        throw new IOException(path + " has been replaced by somebody else");
      }
      Path itself = Path.of(file.procPath());
      PosixFileAttributeView view =
          Files.getFileAttributeView(itself, PosixFileAttributeView.class);
      if (owner != null) {
        view.setOwner(owner);
      }
      if (group != null) {
        view.setGroup(group);
      }
      // Last: never a moment in which it is open to the group that it had.
      Files.setAttribute(itself, "unix:mode", mode);
    }
  }

  /** The descriptor's number, to be watched for readability; this object owns it. */
  public int number() {
    return socket.number();
  }

  /**
   * Accepts one connection, close-on-exec.
   *
   * @return the connection's descriptor, owned by the caller, or {@code -errno}: {@code -EAGAIN}
   *     when nobody waits
   */
  public int accept(boolean blocking) {
    return UnixSocket.accept(socket.number(), blocking);
  }

  @Override
  public void close() {
    removeOwn();
    socket.close();
  }

  /** Whether the path leads to the file bound here: others may remove or replace it. */
  public boolean isBound() {
    try {
      return isBoundTo(FileStatus.ofLink(path));
    } catch (LinuxException gone) {
      return false;
    }
  }

  /** Whether a file is the one bound here, by whatever path. */
  public boolean isBoundTo(FileStatus file) {
    return bound != null && file.sameFile(bound);
  }

  private void removeOwn() {
    try {
      if (isBound()) {
        Files.deleteIfExists(path);
      }
    } catch (IOException e) {
      Log.warn("cannot remove " + path + ": " + e.getMessage());
    }
  }
}
