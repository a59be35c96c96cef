package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/** With an agent on its host rexec starts no JVM, and without it nothing else changes. */
final class AgentIT {
  private static final int AT_ONCE = 200;

  @AutoClose private TwoHosts hosts;

  @BeforeEach
  void up() throws Exception {
    hosts = TwoHosts.up();
    TwoHosts.needLauncher();
    hosts.startAgent();
  }

  /** A program that tells its pid and stays, called through the agent and nobody else. */
  private Running startSleeper() throws Exception {
    Running client =
        hosts.startSh(
            Host.A, "REXEC_AGENT=only exec \"$REXEC\" /bin/sh -c 'echo $$; exec sleep 98765'");
    Await.until("the program tells its pid", () -> client.output().endsWith("\n"));
    return client;
  }

  private void awaitNoProgram() throws Exception {
    Await.until("no program is left on B", () -> hosts.processes(Host.B, "98765").isEmpty());
  }

  private Running.Result onlyByAgent(String arguments) throws Exception {
    return hosts.sh(Host.A, "REXEC_AGENT=only \"$REXEC\" " + arguments);
  }

  @Test
  void twoHundredAtOnceAreAllRight() throws Exception {
    List<Running> clients = new ArrayList<>();
    for (int i = 0; i < AT_ONCE; i++) {
      String script =
          "echo input %d | REXEC_AGENT=only \"$REXEC\" /bin/sh -c 'cat; exit %d'".formatted(i, i);
      clients.add(hosts.startSh(Host.A, script));
    }
    for (int i = 0; i < AT_ONCE; i++) {
      Running.Result result = clients.get(i).result();
      assertThat(result.stderr()).as("%s", result).isEmpty();
      assertThat(result.output()).as("%s", result).isEqualTo("input " + i + "\n");
      assertThat(result.code()).as("%s", result).isEqualTo(i);
    }
    assertThat(onlyByAgent("/bin/true").code()).isZero();
    Await.until(
        "no descriptor of the calls is left",
        () -> openFiles(hosts.daemon("rexec_agent").pid()) < AT_ONCE / 2);
  }

  private static long openFiles(long pid) throws Exception {
    try (Stream<Path> open = Files.list(Path.of("/proc/" + pid + "/fd"))) {
      return open.count();
    }
  }

  @Test
  void aKilledLauncherLeavesNoProgram() throws Exception {
    Running client = startSleeper();
    client.signal("KILL");
    awaitNoProgram();
    assertThat(onlyByAgent("/bin/true").code()).isZero();
  }

  @Test
  void aKilledAgentEndsItsCallsAndTheNextOneNeedsNone() throws Exception {
    Running client = startSleeper();
    Running agent = hosts.daemon("rexec_agent");
    agent.signal("KILL");
    agent.result();
    Running.Result result = client.result();
    assertThat(result.code()).as("%s", result).isEqualTo(125);
    assertThat(result.stderr().lines()).as("%s", result).hasSize(1);
    awaitNoProgram();
    assertThat(hosts.sh(Host.A, "unset REXEC_AGENT; \"$REXEC\" /bin/true").code()).isZero();
    hosts.startAgent();
    assertThat(onlyByAgent("/bin/true").code()).isZero();
  }

  @Test
  void anAgentThatIsToldToEndLetsItsCallsEnd() throws Exception {
    Running client = startSleeper();
    Running former = hosts.daemon("rexec_agent");
    former.signal("TERM");
    Await.until(
        "it takes no calls", () -> !Files.exists(hosts.file(Host.A, "/run/rexec/agent.sock")));
    hosts.startAgent();
    assertThat(onlyByAgent("/bin/true").code()).isZero();
    client.signal("TERM");
    assertThat(client.result().code()).isEqualTo(128 + 15);
    assertThat(former.result().code()).isZero();
  }

  /** The agent would find other files there. */
  @Test
  void aCallerInAnotherNamespaceIsNotServed() throws Exception {
    Running.Result refused =
        hosts.sh(Host.A, "REXEC_AGENT=only unshare --mount \"$REXEC\" /bin/true");
    assertThat(refused.code()).as("%s", refused).isEqualTo(125);
    assertThat(refused.stderr()).contains("declines");
    Running.Result result =
        hosts.sh(Host.A, "unset REXEC_AGENT; unshare --mount \"$REXEC\" /bin/sh -c 'exit 9'");
    assertThat(result.code()).as("%s", result).isEqualTo(9);
  }

  /** An agent that hangs is not waited for, and does nothing when it goes on. */
  @Test
  void nothingRunsTwice() throws Exception {
    Path runs = hosts.shared().resolve("runs");
    Running agent = hosts.daemon("rexec_agent");
    agent.signal("STOP");
    Running.Result result =
        hosts.sh(
            Host.A,
            "unset REXEC_AGENT; \"$REXEC\" /bin/sh -c 'echo run >>\"$0\"; exit 9' \"$1\"",
            runs.toString());
    assertThat(result.code()).as("%s", result).isEqualTo(9);
    agent.signal("CONT");
    assertThat(onlyByAgent("/bin/true").code()).isZero();
    agent.signal("TERM");
    assertThat(agent.result().code()).isZero();
    assertThat(runs).hasContent("run\n");
  }
}
