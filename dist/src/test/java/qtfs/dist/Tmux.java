package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/**
 * A terminal of host A and somebody who types into it: a session of a tmux whose server starts with
 * the first one and ends with the hosts.
 */
final class Tmux {
  private static final String SETTINGS = "set -g status off\nset -g default-shell /bin/sh\n";

  private final TwoHosts hosts;
  private final String name;

  private Tmux(TwoHosts hosts, String name) {
    this.hosts = hosts;
    this.name = name;
  }

  /** Skips the test, aloud, where there is none. */
  static void need() throws InterruptedException {
    Programs.need("tmux", "tmux");
  }

  /**
   * Starts a session of 80 columns and 24 lines.
   *
   * @param name of letters, another for each session
   * @param command for a shell; {@code $REXEC} is the path of rexec
   */
  static Tmux start(TwoHosts hosts, String name, String command) throws Exception {
    Path settings = hosts.shared().resolve("tmux.conf");
    if (Files.notExists(settings)) {
      Files.writeString(settings, SETTINGS);
    }
    Tmux session = new Tmux(hosts, name);
    session.run(
        "-f %s new-session -d -s %s -x 80 -y 24 '%s'".formatted(settings, name, quoted(command)));
    return session;
  }

  private String run(String command) throws IOException, InterruptedException {
    Path socket = hosts.shared().resolve("tmux.sock");
    Running.Result result = hosts.sh(Host.A, "tmux -S " + socket + " " + command);
    assertThat(result.code()).as("tmux %s: %s", command, result).isZero();
    return result.output();
  }

  private static String quoted(String text) {
    return text.replace("'", "'\\''");
  }

  /** Types a text as it is. */
  void write(String text) throws Exception {
    run("send-keys -t " + name + " -l '" + quoted(text) + "'");
  }

  /** Presses keys by their names: {@code Enter}, {@code Escape}, {@code C-c}. */
  void press(String keys) throws Exception {
    run("send-keys -t " + name + " " + keys);
  }

  void type(String line) throws Exception {
    write(line);
    press("Enter");
  }

  void resize(int columns, int rows) throws Exception {
    run("resize-window -t " + name + " -x " + columns + " -y " + rows);
  }

  /** What can be seen now. */
  String screen() throws Exception {
    return run("capture-pane -t " + name + " -p");
  }

  void awaitLine(String line) throws Exception {
    Await.until("the line \"" + line + "\"", () -> screen().lines().anyMatch(line::equals));
  }

  void awaitText(String text) throws Exception {
    Await.until("\"" + text + "\" on the screen", () -> screen().contains(text));
  }
}
