package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/** Peers that stop in the middle of a word, and a reader that never reads, delay nobody else. */
final class NobodyWaitsIT {
  private static final String ECHO = "/run/echo.sock";
  private static final String FLOOD = "/run/flood.sock";
  private static final int STUCK = 200;

  /** Far below the ten seconds that a stuck handshake has, far above what a busy machine adds. */
  private static final long ENOUGH_MILLIS = 2_000;

  @AutoClose private static TwoHosts hosts;

  @BeforeAll
  static void up() throws Exception {
    Programs.need("socat", "socat");
    TwoHosts.preloadLibrary();
    hosts = TwoHosts.up();
    hosts.startServer(Host.B, TwoHosts.java(EchoServer.class, ECHO), ECHO);
    List<String> flood = List.of("socat", "-u", "OPEN:/dev/zero", "UNIX-LISTEN:" + FLOOD + ",fork");
    hosts.startServer(Host.B, flood, FLOOD);
  }

  private static void assertNobodyWaits() throws Exception {
    Running.Result result =
        hosts.start(Host.A, TwoHosts.java(Pings.class, ECHO, "1000", "20")).result();
    assertThat(result.stderr()).as("%s", result).isEmpty();
    assertThat(result.output().strip().split(" "))
        .as("a message there and back, a connect: %s", result)
        .hasSize(2)
        .allSatisfy(millis -> assertThat(Long.parseLong(millis)).isLessThan(ENOUGH_MILLIS));
  }

  @Test
  void forPeersThatAreStuckAtEachByteOfTheHandshake() throws Exception {
    List<String> command =
        TwoHosts.java(
            StuckPeers.class, Host.B.address, TwoHosts.PORT, Integer.toString(STUCK), ECHO);
    Running stuck = hosts.start(Host.A, command);
    Await.until(
        "all are stuck: " + stuck.errors(), () -> stuck.output().equals("stuck: " + STUCK + "\n"));
    assertNobodyWaits();
    stuck.signal("KILL");
  }

  @Test
  void forAReaderThatNeverReads() throws Exception {
    Running reader = Way.PRELOAD.start(hosts, "exec socat -u UNIX-CONNECT:" + FLOOD + " -");
    Await.until("it reads", () -> !reader.output().isEmpty());
    reader.signal("STOP");
    assertNobodyWaits();
    reader.signal("KILL");
  }
}
