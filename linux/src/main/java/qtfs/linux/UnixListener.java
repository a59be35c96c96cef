package qtfs.linux;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Set;
import org.newsclub.net.unix.AFUNIXServerSocketChannel;
import org.newsclub.net.unix.AFUNIXSocketAddress;
import org.newsclub.net.unix.FileDescriptorCast;

/**
 * A listening unix stream socket and the file it is bound to, mode 0600.
 *
 * <p>Takes the place of a socket file that nobody listens on any more, and of nothing else: a live
 * socket and any other kind of file make {@link #bind} fail. Closing removes the file, if it is
 * still the one that was bound. Not thread-safe but for {@link #close}.
 */
public final class UnixListener implements Closeable {
  private static final Set<PosixFilePermission> OWNER_ONLY =
      Set.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);

  private final Path path;
  private final AFUNIXServerSocketChannel channel;
  private final int number;
  private final FileStatus bound;

  private UnixListener(Path path, AFUNIXServerSocketChannel channel, int number, FileStatus bound) {
    this.path = path;
    this.channel = channel;
    this.number = number;
    this.bound = bound;
  }

  /**
   * Binds and listens, without blocking on accept. The directory is there already; where others may
   * enter it, the caller's umask must be 0077 for the socket never to be open to them.
   *
   * @param path absolute, at most 107 bytes
   * @param backlog connections that wait to be accepted, cut by net.core.somaxconn
   */
  public static UnixListener bind(Path path, int backlog) throws IOException {
    removeDead(path);
    AFUNIXServerSocketChannel channel = AFUNIXServerSocketChannel.open();
    // It would remove whatever has the name by then; see close.
    channel.setDeleteOnClose(false);
    try {
      channel.bind(AFUNIXSocketAddress.of(path), backlog);
      channel.configureBlocking(false);
      int number = FileDescriptorCast.using(channel.getFileDescriptor()).as(Integer.class);
      Fcntl.closeOnExec(number, true);
      Files.setPosixFilePermissions(path, OWNER_ONLY);
      return new UnixListener(path, channel, number, FileStatus.ofLink(path));
    } catch (IOException e) {
      channel.close();
      // The library's message names neither the call nor the path.
      throw new IOException("cannot listen at " + path + ": " + e.getMessage(), e);
    }
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

  /** The descriptor's number, to be watched for readability; this object owns it. */
  public int number() {
    return number;
  }

  /**
   * Accepts one connection, close-on-exec.
   *
   * @return the connection's descriptor, owned by the caller, or {@code -errno}: {@code -EAGAIN}
   *     when nobody waits
   */
  public int accept(boolean blocking) {
    return UnixSocket.accept(number, blocking);
  }

  @Override
  public void close() {
    removeOwn();
    try {
      channel.close();
    } catch (IOException e) {
      Log.warn("cannot close the listener of " + path + ": " + e.getMessage());
    }
  }

  /** Whether the path still leads here: others may remove or replace the file. */
  public boolean isBound() {
    try {
      return FileStatus.ofLink(path).sameFile(bound);
    } catch (LinuxException gone) {
      return false;
    }
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
