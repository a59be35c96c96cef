package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import qtfs.dist.TwoHosts.Host;

/** Standard input, its end included, reaches the program; the end of output is not guessed. */
final class StandardStreamsIT {
  @AutoClose private static TwoHosts hosts;

  @BeforeAll
  static void up() throws Exception {
    hosts = TwoHosts.up();
  }

  private static final String COUNT = "\"$REXEC\" /bin/sh -c 'wc -c; exit 5' ";

  @Test
  void aPipesEndReachesTheProgram() throws Exception {
    Running.Result result = hosts.sh(Host.A, "printf 12345 | " + COUNT);
    assertThat(result.output().strip()).isEqualTo("5");
    assertThat(result.code()).isEqualTo(5);
  }

  @Test
  void aFileIsReadToItsEndFromWhereItStands() throws Exception {
    Path file = Files.writeString(hosts.shared().resolve("in"), "line\nrest");
    Running.Result result =
        hosts.sh(Host.A, "{ read -r _; " + COUNT + "; } <\"$1\"", file.toString());
    assertThat(result.output().strip()).isEqualTo("4");
  }

  @Test
  void nothingIsAnEmptyInput() throws Exception {
    assertThat(hosts.sh(Host.A, COUNT + "</dev/null").output().strip()).isEqualTo("0");
    assertThat(hosts.sh(Host.A, COUNT + "<&-").output().strip()).isEqualTo("0");
  }

  @Test
  void aProgramThatDoesNotReadIsNotWaitedFor() throws Exception {
    Running.Result result =
        hosts.sh(Host.A, "sleep 1000 | \"$REXEC\" /bin/sh -c 'exit 4'; kill -9 0");
    assertThat(result.code()).isEqualTo(137);
    Running endless = hosts.startSh(Host.A, "yes | \"$REXEC\" /bin/sh -c 'head -n 1; exit 4'");
    Running.Result head = endless.result();
    assertThat(head.output()).isEqualTo("y\n");
    assertThat(head.code()).isEqualTo(4);
  }

  @Test
  void aGrandchildThatKeepsTheOutputOpenHoldsNobodyUp() throws Exception {
    Running.Result result = hosts.rexec("/bin/sh", "-c", "sleep 1000 & echo done; exit 3");
    assertThat(result.output()).isEqualTo("done\n");
    assertThat(result.code()).isEqualTo(3);
  }

  @Test
  void errorsAfterTheEndOfOutputArrive() throws Exception {
    Running.Result result =
        hosts.rexec("/bin/sh", "-c", "echo out; exec >&-; sleep 0.3; echo late >&2; exit 6");
    assertThat(result.output()).isEqualTo("out\n");
    assertThat(result.stderr()).isEqualTo("late\n");
    assertThat(result.code()).isEqualTo(6);
  }
}
