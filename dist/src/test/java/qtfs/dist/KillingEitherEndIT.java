package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import qtfs.dist.TwoHosts.Host;

/** The death of one end ends the other, and nothing else. */
final class KillingEitherEndIT {
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
