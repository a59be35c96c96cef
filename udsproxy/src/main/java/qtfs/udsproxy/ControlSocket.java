package qtfs.udsproxy;

import java.io.IOException;
import java.nio.file.Path;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.Log;
import qtfs.linux.ProcessAttributes;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;

/**
 * The socket {@code ctl.sock} of the run directory, where root and the daemon's own user ask and
 * tell it things while it runs. All on the loop's thread.
 */
final class ControlSocket {
  static final String NAME = "ctl.sock";

  private static final int BACKLOG = 128;
  private static final int ROOT = 0;

  private final Shared shared;
  private final ProxyLoop loop;
  private final Control control;
  private final Acceptor acceptor;

  private ControlSocket(Shared shared, ProxyLoop loop, Path path, Control control)
      throws IOException {
    this.shared = shared;
    this.loop = loop;
    this.control = control;
    this.acceptor =
        Acceptor.start(loop.eventLoop(), UnixListener.bind(path, BACKLOG), this::clientConnected);
  }

  /** Begins to listen; on the loop. */
  static ControlSocket open(Shared shared, ProxyLoop loop, Path runDirectory, Control control)
      throws IOException {
    return new ControlSocket(shared, loop, runDirectory.resolve(NAME), control);
  }

  private void clientConnected(Fd client) {
    try {
      UnixSocket.Credentials who = UnixSocket.peerCredentials(client);
      if (mayControl(who.uid(), ProcessAttributes.uid())) {
        ControlConnection.start(shared, loop, control, client, who);
        return;
      }
      Log.warn("refused to pid " + who.pid() + " uid " + who.uid() + ": " + NAME + " is root's");
    } catch (LinuxException e) {
      Log.error("cannot serve a client of " + NAME + ": " + e.getMessage());
    }
    client.close();
  }

  /** The socket's mode says the same, as long as nobody has changed it. */
  static boolean mayControl(int uid, int own) {
    return uid == ROOT || uid == own;
  }

  /** Removes the socket; on the loop. */
  void close() {
    acceptor.close();
  }
}
