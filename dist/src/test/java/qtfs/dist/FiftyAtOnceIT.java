package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/** Fifty programs at once each get their own input, output and code. */
final class FiftyAtOnceIT {
  private static final int PROGRAMS = 50;

  @AutoClose private static TwoHosts hosts;

  @BeforeAll
  static void up() throws Exception {
    hosts = TwoHosts.up();
  }

  @Test
  void allAreRight() throws Exception {
    List<Running> clients = new ArrayList<>();
    for (int i = 0; i < PROGRAMS; i++) {
      String script = "echo input %d | \"$REXEC\" /bin/sh -c 'cat; exit %d'".formatted(i, i);
      clients.add(hosts.startSh(Host.A, script));
    }
    for (int i = 0; i < PROGRAMS; i++) {
      Running.Result result = clients.get(i).result();
      assertThat(result.stderr()).as("%s", result).isEmpty();
      assertThat(result.output()).as("%s", result).isEqualTo("input " + i + "\n");
      assertThat(result.code()).as("%s", result).isEqualTo(i);
    }
    Await.until(
        "nothing of the fifty is left on B", () -> hosts.processes(Host.B, "/bin/sh").isEmpty());
  }
}
