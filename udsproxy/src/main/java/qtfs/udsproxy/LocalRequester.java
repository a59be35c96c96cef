package qtfs.udsproxy;

import org.jspecify.annotations.Nullable;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.UnixSocket;

/**
 * A process of this host that waits at the other end of a socket. What it is called is looked up
 * when it is first asked for, so that nothing else waits for /proc: best while the process still
 * waits. For one thread.
 */
final class LocalRequester {
  private final UnixSocket.Credentials credentials;
  private @Nullable Requester known;

  private LocalRequester(UnixSocket.Credentials credentials) {
    this.credentials = credentials;
  }

  /** Whoever has connected. */
  static LocalRequester at(Fd socket) throws LinuxException {
    return new LocalRequester(UnixSocket.peerCredentials(socket));
  }

  Requester get() {
    Requester requester = known;
    if (requester == null) {
      requester = Requester.local(credentials);
      known = requester;
    }
    return requester;
  }
}
