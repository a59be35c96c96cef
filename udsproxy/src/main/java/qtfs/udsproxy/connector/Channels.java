package qtfs.udsproxy.connector;

import java.io.IOException;
import java.net.SocketException;
import java.nio.file.Path;
import org.newsclub.net.unix.AFUNIXSocketAddress;
import org.newsclub.net.unix.AFUNIXSocketChannel;
import org.newsclub.net.unix.ConnectionRefusedSocketException;
import qtfs.linux.Errno;
import qtfs.linux.FileStatus;
import qtfs.linux.LinuxException;
import qtfs.linux.UnixSocket;

/**
 * The connector for junixsocket's channels: apart, so that who connects plain descriptors does not
 * load junixsocket.
 */
final class Channels {
  private Channels() {}

  static AFUNIXSocketChannel connect(RemoteConnector connector, Path path, boolean remoteOnly)
      throws IOException {
    int errno = Errno.ENOENT;
    if (!remoteOnly) {
      try {
        return open(path);
      } catch (SocketException e) {
        errno = errno(e, path);
        if (!RemoteConnector.mayBeRemote(errno)) {
          throw e;
        }
      }
    }
    return open(Path.of(connector.requestProxy(UnixSocket.Type.STREAM, path.toString(), errno)));
  }

  private static AFUNIXSocketChannel open(Path path) throws IOException {
    AFUNIXSocketChannel channel = AFUNIXSocketChannel.open();
    try {
      channel.connect(AFUNIXSocketAddress.of(path));
      return channel;
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  /** The errno behind a failed connect, of those that matter; 0 for others. */
  private static int errno(SocketException e, Path path) {
    if (e instanceof ConnectionRefusedSocketException) {
      return Errno.ECONNREFUSED;
    }
    try {
      FileStatus.of(path);
      return 0;
    } catch (LinuxException missing) {
      return missing.errno();
    }
  }
}
