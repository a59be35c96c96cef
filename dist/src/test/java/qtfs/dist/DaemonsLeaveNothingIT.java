package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/** A daemon that is told to end does so at once, and leaves no socket, pid file or process. */
final class DaemonsLeaveNothingIT {
  private static final List<String> DAEMONS =
      List.of("rexec_server", "udsproxyd on A", "udsproxyd on B");

  @AutoClose private TwoHosts hosts;

  @BeforeEach
  void up() throws Exception {
    hosts = TwoHosts.up();
  }

  @Test
  void afterAJob() throws Exception {
    assertThat(hosts.rexec("uname", "-n").output()).isEqualTo("hostB\n");
    assertNothingLeft();
  }

  /** Programs survive rexec_server, unless it is told otherwise. */
  @Test
  void inTheMiddleOfOne() throws Exception {
    hosts.write(Host.B, "/etc/rexec/rexec_server.conf", "[Programs]\nAtStop=kill\n");
    Running server = hosts.daemon("rexec_server");
    server.signal("HUP");
    Await.until("it has been read", () -> server.errors().contains("in force now"));
    Running client = hosts.startRexec("/bin/sh", "-c", "echo here; exec sleep 98765");
    Await.until("the program runs", () -> !client.output().isEmpty());
    assertNothingLeft();
    // Its program killed, or the link lost: whichever daemon was quicker.
    assertThat(client.result().code()).isIn(128 + 9, 125);
  }

  private void assertNothingLeft() throws Exception {
    for (String daemon : DAEMONS) {
      hosts.daemon(daemon).signal("TERM");
    }
    for (String daemon : DAEMONS) {
      Running.Result result = hosts.daemon(daemon).result();
      assertThat(result.code()).as("%s: %s", daemon, result.stderr()).isZero();
      assertThat(result.output()).as(daemon).isEmpty();
    }
    for (Host host : Host.values()) {
      Await.until("no process is left on " + host, () -> hosts.processes(host, "").isEmpty());
      assertThat(files(host)).as("files on %s", host).allMatch(file -> file.endsWith(".lock"));
    }
  }

  private List<String> files(Host host) throws Exception {
    try (Stream<Path> all = Files.walk(hosts.file(host, "/run"))) {
      return all.filter(file -> !Files.isDirectory(file)).map(Path::toString).toList();
    }
  }
}
