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
    assertThat(result.code()).as("%s", result).isEqualTo(5);
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
    Path fifo = hosts.shared().resolve("never-ending");
    Running.Result silent =
        hosts.sh(
            Host.A,
            "mkfifo \"$1\" && exec 8<>\"$1\" && \"$REXEC\" /bin/sh -c 'exit 4' <&8",
            fifo.toString());
    assertThat(silent.code()).as("%s", silent).isEqualTo(4);
    Running.Result head = hosts.sh(Host.A, "yes | \"$REXEC\" /bin/sh -c 'head -n 1; exit 4'");
    assertThat(head.output()).as("%s", head).isEqualTo("y\n");
    assertThat(head.code()).as("%s", head).isEqualTo(4);
  }

  @Test
  void aGrandchildThatKeepsTheOutputOpenHoldsNobodyUp() throws Exception {
    Running.Result result = hosts.rexec("/bin/sh", "-c", "sleep 1000 & echo done; exit 3");
    assertThat(result.output()).as("%s", result).isEqualTo("done\n");
    assertThat(result.code()).as("%s", result).isEqualTo(3);
  }

  @Test
  void errorsAfterTheEndOfOutputArrive() throws Exception {
    Running.Result result =
        hosts.rexec("/bin/sh", "-c", "echo out; exec >&-; sleep 0.3; echo late >&2; exit 6");
    assertThat(result.output()).as("%s", result).isEqualTo("out\n");
    assertThat(result.stderr()).as("%s", result).isEqualTo("late\n");
    assertThat(result.code()).as("%s", result).isEqualTo(6);
  }

  /** Whoever relies on the program's 0 would take it for whole. */
  @Test
  void outputThatCannotBeWrittenIsNoSuccess() throws Exception {
    Running.Result result = hosts.sh(Host.A, "\"$REXEC\" /bin/sh -c 'echo lost' >/dev/full");
    assertThat(result.stderr())
        .as("%s", result)
        .isEqualTo("rexec: cannot write standard output: No space left on device\n");
    assertThat(result.code()).as("%s", result).isEqualTo(125);
  }
}
