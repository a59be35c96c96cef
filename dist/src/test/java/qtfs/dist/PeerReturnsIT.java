package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/** When a proxy dies, its sessions end on both hosts; when it is back, new ones work. */
final class PeerReturnsIT {
  private static final String SOCKET = "/run/cat.sock";

  @AutoClose private TwoHosts hosts;

  @BeforeEach
  void up() throws Exception {
    Programs.need("socat", "socat");
    TwoHosts.preloadLibrary();
    hosts = TwoHosts.up();
    List<String> server =
        List.of("socat", "UNIX-LISTEN:" + SOCKET + ",fork", "SYSTEM:echo hello; exec cat >&2");
    hosts.startServer(Host.B, server, SOCKET);
  }

  /** A session that lasts until somebody ends it. */
  private Running startSession() throws Exception {
    Running session = Way.PRELOAD.start(hosts, "exec socat -u UNIX-CONNECT:" + SOCKET + " -");
    Await.until("the session works", () -> session.output().equals("hello\n"));
    return session;
  }

  /** How many processes serve a session on B, besides the one that listens. */
  private int serving() throws Exception {
    return hosts.processes(Host.B, "socat").size() - 1;
  }

  @ParameterizedTest
  @EnumSource
  void sessionsEndAndNewOnesWork(Host killed) throws Exception {
    Running session = startSession();
    assertThat(serving()).isPositive();
    Running proxy = hosts.daemon("udsproxyd on " + killed);
    proxy.signal("KILL");
    proxy.result();
    session.result();
    Await.until("its server ends", () -> serving() == 0);
    hosts.startProxy(killed);
    startSession();
  }
}
