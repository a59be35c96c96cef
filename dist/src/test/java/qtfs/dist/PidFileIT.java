package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/** While a program runs, its pid stands in a locked file named after the client's own pid. */
final class PidFileIT {
  private static final String PIDS = "/run/rexec/pids/";

  @AutoClose private static TwoHosts hosts;

  @BeforeAll
  static void up() throws Exception {
    hosts = TwoHosts.up();
  }

  /** A client whose program prints its pid and stays until it is killed. */
  private static Running startSleeper() throws Exception {
    Running client = hosts.startRexec("/bin/sh", "-c", "echo $$; exec sleep 1000");
    Await.until("the program tells its pid", () -> client.output().endsWith("\n"));
    return client;
  }

  @Test
  void isThereLockedAndRightAndGoneAfterwards() throws Exception {
    Running client = startSleeper();
    Path file = hosts.file(Host.A, PIDS + client.pid());
    assertThat(Files.readString(file).strip()).isEqualTo(client.output().strip());
    assertThat(mode(file)).isEqualTo("rw-------");
    assertThat(mode(hosts.file(Host.A, PIDS))).isEqualTo("rwx------");
    assertThat(hosts.sh(Host.A, "flock -n $1 true", PIDS + client.pid()).code()).isEqualTo(1);

    hosts.sh(Host.B, "kill -TERM $1", client.output().strip());
    assertThat(client.result().code()).isEqualTo(128 + 15);
    assertThat(file).doesNotExist();
  }

  @Test
  void ofADeadClientIsSweptAndOfALivingOneIsNot() throws Exception {
    Running living = startSleeper();
    Running dead = startSleeper();
    dead.signal("KILL");
    dead.result();
    assertThat(hosts.file(Host.A, PIDS + dead.pid())).exists();

    hosts.rexec("/bin/true");
    assertThat(hosts.file(Host.A, PIDS + dead.pid())).doesNotExist();
    assertThat(hosts.file(Host.A, PIDS + living.pid())).exists();
  }

  private static String mode(Path file) throws Exception {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
  }
}
