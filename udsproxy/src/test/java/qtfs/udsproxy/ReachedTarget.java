package qtfs.udsproxy;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.Fd;
import qtfs.linux.UnixListener;

/** What a test begins with that is the peer of a proxy and has reached a target of its host. */
abstract class ReachedTarget {
  /** In which what was passed and is not fetched expires soon. */
  static final Deadlines SOON_EXPIRED =
      new Deadlines(
          Duration.ofSeconds(10),
          Duration.ofSeconds(5),
          Duration.ofMillis(300),
          Duration.ofSeconds(1));

  @TempDir Path directory;
  Peer peer;
  UnixListener listener;

  /** The session's connection, the peer's end. */
  Peer.Link link;

  /** The session's connection, the target's end. */
  Fd target;

  /** How long the proxy waits for the peer at first. */
  Deadlines deadlines() {
    return ProxyPair.DEADLINES;
  }

  /** Asks for the target. */
  Peer.Link reach() throws Exception {
    return peer.reach("t.sock");
  }

  @BeforeEach
  void connect() throws Exception {
    start(deadlines());
  }

  final void start(Deadlines deadlines) throws Exception {
    peer = Peer.open(directory, deadlines);
    listener = peer.listen("t.sock");
    link = reach();
    target = ProxyPair.accept(listener);
  }

  @AfterEach
  void stop() throws Exception {
    link.close();
    target.close();
    listener.close();
    peer.close();
  }
}
