package qtfs.dist;

import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/** A shell of B in a terminal of A, with somebody typing: tmux is the terminal and the typist. */
final class ShellInTmuxIT {
  private static final String SLEEP = "sleep 98761";

  @AutoClose private static TwoHosts hosts;
  private static Tmux tmux;

  @BeforeAll
  static void up() throws Exception {
    Tmux.need();
    hosts = TwoHosts.up();
    tmux = Tmux.start(hosts, "shell", "\"$REXEC\" -t /bin/sh; echo code $?; exec cat");
  }

  @Test
  void aLineIsTypedAWindowResizedAProgramInterrupted() throws Exception {
    tmux.type("stty size; echo $((6 * 7)) on $(uname -n)");
    tmux.awaitLine("24 80");
    tmux.awaitLine("42 on hostB");

    tmux.resize(100, 30);
    tmux.type("until stty size | grep -x \"30 100\"; do sleep 0.1; done");
    tmux.awaitLine("30 100");

    tmux.type(SLEEP);
    Await.until("it runs", () -> !hosts.processes(Host.B, SLEEP).isEmpty());
    tmux.press("C-c");
    Await.until("it ends", () -> hosts.processes(Host.B, SLEEP).isEmpty());
    tmux.type("echo interrupted: $?");
    tmux.awaitLine("interrupted: 130");

    tmux.type("exit 7");
    tmux.awaitLine("code 7");
  }
}
