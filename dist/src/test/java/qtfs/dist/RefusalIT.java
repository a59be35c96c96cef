package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import qtfs.dist.TwoHosts.Host;

/** What did not run never ends with 0: one line on standard error says why. */
final class RefusalIT {
  @AutoClose private TwoHosts hosts;

  @BeforeEach
  void up() throws Exception {
    hosts = TwoHosts.up();
  }

  private static void assertFailed(Running.Result result, int code) {
    assertThat(result.stderr().lines()).as("%s", result).hasSize(1);
    assertThat(result.stderr()).as("%s", result).startsWith("rexec");
    assertThat(result.output()).as("%s", result).isEmpty();
    assertThat(result.code()).as("%s", result).isEqualTo(code);
  }

  @Test
  void refusesWhatIsNotInTheWhitelist() throws Exception {
    assertFailed(hosts.rexec("/bin/ls", "/"), 126);
    // Exact equality with the whole entry.
    assertFailed(hosts.rexec("sh", "-c", "true"), 126);
    assertFailed(hosts.rexec("/bin/sh2"), 126);
    assertThat(hosts.rexec("/bin/true").code()).isZero();
  }

  @Test
  void doesNotFindWhatIsNotThere() throws Exception {
    assertFailed(hosts.rexec("/no/such"), 127);
  }

  @Test
  void failsWithoutAServer() throws Exception {
    Running server = hosts.daemon("rexec_server");
    server.signal("TERM");
    server.result();
    assertFailed(hosts.rexec("/bin/true"), 125);
    hosts.startRexecServer();
    assertThat(hosts.rexec("/bin/true").code()).isZero();
  }

  @Test
  void failsWithoutAProxyOnItsOwnHost() throws Exception {
    Running proxy = hosts.daemon("udsproxyd on A");
    proxy.signal("TERM");
    proxy.result();
    assertFailed(hosts.rexec("/bin/true"), 125);
  }

  @Test
  void failsWithoutAProxyOnTheOtherHost() throws Exception {
    Running proxy = hosts.daemon("udsproxyd on B");
    proxy.signal("TERM");
    proxy.result();
    assertFailed(hosts.rexec("/bin/true"), 125);
    hosts.startProxy(Host.B);
    assertThat(hosts.rexec("/bin/true").code()).isZero();
  }
}
