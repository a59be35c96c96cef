package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/** On a link that loses, delays and reorders packets, and is away for a while, nothing is lost. */
final class PoorLinkIT {
  private static final String SOCKET = "/run/cat.sock";
  private static final int SESSIONS = 8;
  private static final int BYTES = 200_000;
  private static final String ECHO =
      "exec socat -t 60 - UNIX-CONNECT:" + SOCKET + " <\"$1\" >\"$2\"";

  @AutoClose private static TwoHosts hosts;
  private static Running link;
  private static Path sent;

  @BeforeAll
  static void up() throws Exception {
    Programs.need("socat", "socat");
    TwoHosts.skipUnless(
        Files.exists(Path.of("/dev/net/tun")), "no /dev/net/tun: load the kernel module tun");
    TwoHosts.preloadLibrary();
    hosts = TwoHosts.up();
    link = PoorLink.between(hosts);
    List<String> echo = List.of("socat", "-t", "60", "UNIX-LISTEN:" + SOCKET + ",fork", "EXEC:cat");
    hosts.startServer(Host.B, echo, SOCKET);
    byte[] bytes = new byte[BYTES];
    new Random(BYTES).nextBytes(bytes);
    sent = Files.write(hosts.shared().resolve("sent"), bytes);
  }

  private static Running start(String client, Path received) throws Exception {
    return Way.PRELOAD.start(hosts, client, sent.toString(), received.toString());
  }

  private static void assertSame(Path received, Running client) throws Exception {
    Running.Result result = client.result();
    assertThat(result.code()).as("%s", result).isZero();
    assertThat(Files.mismatch(received, sent)).as("the first byte that differs").isEqualTo(-1);
  }

  @Test
  void sessionsAtOnceGetEachByteBack() throws Exception {
    List<Running> clients = new ArrayList<>();
    for (int i = 0; i < SESSIONS; i++) {
      clients.add(start(ECHO, hosts.shared().resolve("received" + i)));
    }
    for (int i = 0; i < SESSIONS; i++) {
      assertSame(hosts.shared().resolve("received" + i), clients.get(i));
    }
    assertThat(hosts.sh(Host.A, "nstat -asz TcpRetransSegs").output())
        .as("the link did lose packets")
        .containsPattern("TcpRetransSegs +[1-9]");
  }

  @Test
  void aCommandGetsEachByteBack() throws Exception {
    Path received = hosts.shared().resolve("by-rexec");
    String cat = "exec $REXEC /bin/cat <\"$1\" >\"$2\"";
    assertSame(received, hosts.startSh(Host.A, cat, sent.toString(), received.toString()));
  }

  /** The half of the input that comes later waits for a file to be made. */
  @Test
  void anOutageRefusesTheNewAndKeepsTheOld() throws Exception {
    Path go = hosts.shared().resolve("go");
    Path received = hosts.shared().resolve("through-outage");
    String input =
        "{ head -c 100000; until [ -e %s ]; do sleep 0.05; done; cat; } <\"$1\"".formatted(go);
    Running old = start(input + " | socat -t 60 - UNIX-CONNECT:" + SOCKET + " >\"$2\"", received);
    Await.until("half is back", () -> Files.exists(received) && Files.size(received) == 100_000);
    link.signal("STOP");
    Running.Result refused = start(ECHO, Path.of("/dev/null")).result();
    Files.createFile(go);
    link.signal("CONT");
    assertThat(refused.code()).as("%s", refused).isOne();
    assertThat(refused.stderr()).as("%s", refused).contains("E connect(");
    assertSame(received, old);
  }
}
