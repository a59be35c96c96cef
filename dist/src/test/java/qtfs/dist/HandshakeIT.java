package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import qtfs.dist.TwoHosts.Host;

/** A manager that holds the handshake pipes decides when, and whether, the program starts. */
final class HandshakeIT {
  /**
   * Prints the byte that announces the program, the remote pid and whether the program ran before
   * it was let; then answers with the given byte, and prints rexec's code.
   */
  private static final String MANAGER =
      """
      cd "$1" && mkfifo rd wr && exec 8<>rd 9<>wr
      REXEC_HANDSHAKE_RD=8 REXEC_HANDSHAKE_WR=9 "$REXEC" /bin/sh -c "echo \\$\\$ >$1/ran" &
      head -c 1 <&9
      echo
      cat "/run/rexec/pids/$!"
      echo
      "$REXEC" /bin/true   # gives a program that did not wait the time to show
      test -e ran; echo "$?"
      printf "$2" >&8
      wait "$!"; echo "$?"
      """;

  @AutoClose private static TwoHosts hosts;

  @BeforeAll
  static void up() throws Exception {
    hosts = TwoHosts.up();
  }

  private static Running.Result manage(String name, String answer) throws Exception {
    Path directory = Files.createDirectory(hosts.shared().resolve(name));
    return hosts.sh(Host.A, MANAGER, directory.toString(), answer);
  }

  @Test
  void theProgramStartsWhenTheManagerSaysSo() throws Exception {
    Running.Result result = manage("go", "1");
    String pid = Files.readString(hosts.shared().resolve("go/ran")).strip();
    assertThat(result.output().lines().filter(line -> !line.isEmpty()))
        .containsExactly("1", pid, "1", "0");
  }

  @Test
  void theProgramNeverStartsWhenTheManagerSaysNo() throws Exception {
    Running.Result result = manage("no", "0");
    assertThat(hosts.shared().resolve("no/ran")).doesNotExist();
    assertThat(result.output().lines().toList().getLast()).isEqualTo("125");
  }
}
