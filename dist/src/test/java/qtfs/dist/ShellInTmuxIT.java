package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import qtfs.dist.TwoHosts.Host;

/** A shell of B in a terminal of A, with somebody typing: tmux is the terminal and the typist. */
final class ShellInTmuxIT {
  private static final String SLEEP = "sleep 98761";

  @AutoClose private static TwoHosts hosts;

  @BeforeAll
  static void up() throws Exception {
    Programs.need("tmux", "tmux");
    hosts = TwoHosts.up();
    Path settings =
        Files.writeString(
            hosts.shared().resolve("tmux.conf"),
            "set -g status off\nset -g default-shell /bin/sh\n");
    tmux(
        "-f %s new-session -d -x 80 -y 24 '\"$REXEC\" -t /bin/sh; echo code $?; exec cat'"
            .formatted(settings));
  }

  /** One command to tmux, whose server starts with the first and ends with the hosts. */
  private static String tmux(String command) throws Exception {
    Path socket = hosts.shared().resolve("tmux.sock");
    Running.Result result = hosts.sh(Host.A, "tmux -S " + socket + " " + command);
    assertThat(result.code()).as("tmux %s: %s", command, result).isZero();
    return result.output();
  }

  private static void type(String line) throws Exception {
    tmux("send-keys -l '" + line.replace("'", "'\\''") + "'");
    tmux("send-keys Enter");
  }

  private static void awaitLine(String line) throws Exception {
    Await.until(
        "the line \"" + line + "\"", () -> tmux("capture-pane -p").lines().anyMatch(line::equals));
  }

  @Test
  void aLineIsTypedAWindowResizedAProgramInterrupted() throws Exception {
    type("stty size; echo $((6 * 7)) on $(uname -n)");
    awaitLine("24 80");
    awaitLine("42 on hostB");

    tmux("resize-window -x 100 -y 30");
    type("until stty size | grep -x \"30 100\"; do sleep 0.1; done");
    awaitLine("30 100");

    type(SLEEP);
    Await.until("it runs", () -> !hosts.processes(Host.B, SLEEP).isEmpty());
    tmux("send-keys C-c");
    Await.until("it ends", () -> hosts.processes(Host.B, SLEEP).isEmpty());
    type("echo interrupted: $?");
    awaitLine("interrupted: 130");

    type("exit 7");
    awaitLine("code 7");
  }
}
