package qtfs.dist;

import java.util.List;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/** A Redis of host B's that listens at a unix socket only. */
final class Redis {
  static final String SOCKET = "/run/redis.sock";

  private Redis() {}

  /** Skips the test, aloud, where Redis or its clients are missing. */
  static void need() throws InterruptedException {
    TwoHosts.skipUnless(
        TwoHosts.succeeds("redis-server", "--version")
            && TwoHosts.succeeds("redis-benchmark", "--version"),
        "redis is missing: apt-get install redis-server redis-tools");
  }

  /** Starts it, and waits until it serves. */
  static void start(TwoHosts hosts) throws Exception {
    List<String> server =
        List.of("redis-server", "--port", "0", "--save", "", "--unixsocket", SOCKET);
    hosts.startServer(Host.B, server, SOCKET);
    Await.until(
        "redis answers",
        () -> hosts.sh(Host.B, "redis-cli -s " + SOCKET + " PING").output().equals("PONG\n"));
  }
}
