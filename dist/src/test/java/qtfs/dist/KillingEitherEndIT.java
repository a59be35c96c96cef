package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/** The death of one end ends the other, and nothing else. */
final class KillingEitherEndIT {
  /** Two headers of a message of rexec's, docs/protocol.md. */
  private static final long PIDMAP_AND_KILL = 2 * 24;

  private static final Pattern BYTES_TO_CLIENT =
      Pattern.compile("\"path\":\"[^\"]*/rexec_uds\\.sock\"[^{}]*\"bytesFromPeer\":(\\d+)");

  @AutoClose private TwoHosts hosts;

  @BeforeEach
  void up() throws Exception {
    hosts = TwoHosts.up();
  }

  private Running startSleeper() throws Exception {
    Running client = hosts.startRexec("/bin/sh", "-c", "echo $$; exec sleep 98765");
    Await.until("the program tells its pid", () -> client.output().endsWith("\n"));
    return client;
  }

  private void awaitNoProgram() throws Exception {
    Await.until("no program is left on B", () -> hosts.processes(Host.B, "98765").isEmpty());
  }

  @Test
  void aKilledClientLeavesNoProgram() throws Exception {
    Running client = startSleeper();
    assertThat(hosts.processes(Host.B, "98765")).containsExactly(client.output().strip());
    client.signal("KILL");
    awaitNoProgram();
    assertThat(hosts.rexec("/bin/true").code()).isZero();
  }

  @Test
  void aClientThatIsToldToEndLeavesNoProgram() throws Exception {
    Running client = startSleeper();
    client.signal("TERM");
    assertThat(client.result().code()).isEqualTo(128 + 15);
    awaitNoProgram();
  }

  @Test
  void aKilledProgramEndsItsClient() throws Exception {
    Running client = startSleeper();
    hosts.sh(Host.B, "kill -KILL $1", client.output().strip());
    assertThat(client.result().code()).isEqualTo(128 + 9);
  }

  @Test
  void aLostLinkEndsBothAndTheNextOneServesAgain() throws Exception {
    Running client = startSleeper();
    Running proxy = hosts.daemon("udsproxyd on B");
    proxy.signal("KILL");
    proxy.result();
    Running.Result result = client.result();
    assertThat(result.code()).as("%s", result).isEqualTo(125);
    assertThat(result.stderr().lines()).as("%s", result).hasSize(1);
    awaitNoProgram();
    hosts.startProxy(Host.B);
    assertThat(hosts.rexec("/bin/true").code()).isZero();
  }

  /** Its reader is slow: the program has ended, and of its output most is in the proxies. */
  @Test
  void outputThatIsLostBehindTheProgramsEndIsTold() throws Exception {
    Path gate = hosts.shared().resolve("gate");
    Path code = hosts.shared().resolve("code");
    assertThat(hosts.sh(Host.A, "mkfifo \"$1\"", gate.toString()).code()).isZero();
    Running call =
        hosts.startSh(
            Host.A,
            "{ \"$REXEC\" /bin/sh -c 'head -c 1000000 /dev/zero'; echo $? >\"$2\"; }"
                + " | { read -r _ <\"$1\"; wc -c; }",
            gate.toString(),
            code.toString());
    Running server = hosts.daemon("rexec_server");
    Await.until("the program has ended", () -> server.errors().contains("outcome=ended"));
    Await.until("its client has been told", () -> bytesToClient() == PIDMAP_AND_KILL);
    Running proxy = hosts.daemon("udsproxyd on A");
    proxy.signal("KILL");
    proxy.result();
    Files.writeString(gate, "go\n");
    Running.Result result = call.result();
    assertThat(Integer.parseInt(result.output().strip())).as("%s", result).isLessThan(1_000_000);
    assertThat(code).as("%s", result).hasContent("125\n");
    assertThat(result.stderr()).as("%s", result).contains("lost after its end (exit code 0)");
    assertThat(result.stderr().lines()).as("%s", result).hasSize(1);
  }

  /** What the server has said to the only client that there is, as far as it has arrived. */
  private long bytesToClient() throws Exception {
    Running.Result sessions = hosts.ctl(Host.A, "sessions", "--json");
    Matcher bytes = BYTES_TO_CLIENT.matcher(sessions.output());
    return bytes.find() ? Long.parseLong(bytes.group(1)) : 0;
  }

  @Test
  void aKilledServerEndsTheClientAndStartsAgain() throws Exception {
    Running client = startSleeper();
    Running server = hosts.daemon("rexec_server");
    server.signal("KILL");
    server.result();
    Running.Result result = client.result();
    assertThat(result.code()).as("%s", result).isEqualTo(125);
    assertThat(result.stderr().lines()).as("%s", result).hasSize(1);
    hosts.startRexecServer();
    assertThat(hosts.rexec("/bin/true").code()).isZero();
  }
}
