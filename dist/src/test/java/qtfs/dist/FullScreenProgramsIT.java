package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/** An editor and a monitor of B on a terminal of A, which is as it was when they are gone. */
final class FullScreenProgramsIT {
  /** Says with which code rexec ended, and whether the terminal has its modes back. */
  private static final String SCRIPT =
      """
      before=$(stty -g)
      "$REXEC" "$@"
      echo "code $?"
      test "$before" = "$(stty -g)" && echo restored
      exec cat
      """;

  @AutoClose private static TwoHosts hosts;
  private static Path script;

  @BeforeAll
  static void up() throws Exception {
    Tmux.need();
    Programs.need("vi", "vim-tiny");
    Programs.need("top", "procps");
    hosts = TwoHosts.up("vi", "top");
    script = Files.writeString(hosts.shared().resolve("call.sh"), SCRIPT);
  }

  /** The editor's settings, and what it remembers of this, are no concern of the machine's user. */
  private static Tmux start(String name, String command) throws Exception {
    String home = "-t -e HOME=" + hosts.shared();
    return Tmux.start(hosts, name, "exec sh " + script + " " + home + " " + command);
  }

  private static String pidOf(String command) throws Exception {
    Await.until(command + " runs", () -> hosts.processes(Host.B, command).size() == 1);
    return hosts.processes(Host.B, command).getFirst();
  }

  @Test
  void aFileIsEditedInAWindowThatGrows() throws Exception {
    Path file = Files.writeString(hosts.shared().resolve("notes"), "first\n");
    Tmux tmux = start("vi", "vi " + file);
    tmux.awaitLine("first");
    tmux.write("osecond");
    tmux.awaitLine("second");
    tmux.press("C-c"); // ends the input as Escape does, which may begin the code of another key

    tmux.resize(100, 30);
    Await.until(
        "the editor has 30 lines",
        () -> {
          tmux.type(":set lines? columns?");
          tmux.awaitText("lines="); // not long to be seen, if the next line is typed at once
          return tmux.screen().contains("lines=30");
        });
    tmux.press("C-c");
    tmux.type(":wq");

    tmux.awaitLine("code 0");
    tmux.awaitLine("restored");
    assertThat(file).hasContent("first\nsecond\n");
  }

  @Test
  void aMonitorShowsTheOtherHostUntilAKeyIsPressed() throws Exception {
    Tmux tmux = start("top", "top");
    tmux.awaitText("load average");
    tmux.awaitText("COMMAND");
    tmux.press("q");
    tmux.awaitLine("code 0");
    tmux.awaitLine("restored");
  }

  @Test
  void theTerminalIsRestoredWhenTheProgramIsKilled() throws Exception {
    Path file = Files.writeString(hosts.shared().resolve("killed"), "unsaved\n");
    Tmux tmux = start("killed", "vi " + file);
    tmux.awaitLine("unsaved");
    hosts.sh(Host.B, "kill -KILL $1", pidOf("vi " + file));
    tmux.awaitText("code 137");
    tmux.awaitLine("restored");
  }

  @Test
  void theTerminalIsRestoredWhenTheLinkIsLost() throws Exception {
    Path file = Files.writeString(hosts.shared().resolve("lost"), "unsaved\n");
    Tmux tmux = start("lost", "vi " + file);
    tmux.awaitLine("unsaved");
    Running proxy = hosts.daemon("udsproxyd on B");
    proxy.signal("KILL");
    proxy.result();
    try {
      tmux.awaitText("code 125");
      tmux.awaitLine("restored");
      assertThat(tmux.screen()).contains("the link to the program was lost");
      Await.until("no editor is left", () -> hosts.processes(Host.B, "vi " + file).isEmpty());
    } finally {
      hosts.startProxy(Host.B);
    }
  }
}
