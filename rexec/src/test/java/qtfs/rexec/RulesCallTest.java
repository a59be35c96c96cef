package qtfs.rexec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.Pipe;
import qtfs.testing.Await;
import qtfs.udsproxy.connector.RemoteConnector;

/** Calls that rules decide about, with real programs. */
final class RulesCallTest {
  @TempDir Path dir;
  private Path script = Path.of("");
  private Harness harness;

  @BeforeEach
  void setUp() throws Exception {
    script = Policies.script(dir.resolve("script"), "#!/bin/sh\necho \"script $1\"\n");
    new Policies(dir)
        .rules(
            """
            [cat]
            Program=/bin/cat
            Arguments=/proc/self/comm
            [cat-usr]
            Program=/usr/bin/cat
            Arguments=/proc/self/comm
            [script]
            Program=%s
            Arguments=one
            Sha256=%s
            [id]
            Program=/usr/bin/id
            Arguments=...
            User=nobody
            Sha256=%s
            [printenv]
            Program=/usr/bin/printenv
            Arguments=HOME
            User=no-such-user;nobody
            [changed]
            Program=/usr/bin/env
            Arguments=...
            Sha256=%s
            """
                .formatted(
                    script,
                    Policies.sha256(script),
                    Policies.sha256(Path.of("/usr/bin/id")),
                    "0".repeat(64)))
        .config("[Limits]\nProgramsPerUser=2\n[Programs]\nKillGrace=200ms\n");
    harness = new Harness(dir, "/bin/cat", "/bin/sh", "/usr/bin/env");
  }

  @AfterEach
  void tearDown() {
    harness.close();
  }

  @Test
  void aProgramOfARuleHasItsOwnName() throws Exception {
    Harness.Outcome outcome = harness.call("/bin/cat", "/proc/self/comm");
    assertThat(outcome.text()).isEqualTo("cat\n");
    assertThat(harness.call("cat", "/proc/self/comm").text()).isEqualTo("cat\n");
  }

  @Test
  void aScriptWithItsDigestRuns() throws Exception {
    assertThat(harness.call(script.toString(), "one").text()).isEqualTo("script one\n");
    Await.until("nothing left", () -> !Files.exists(harness.runDir.resolve("exec.1")));
  }

  @Test
  void aRuleSaysAsWhomAProgramRuns() throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/setpriv")), "apt-get install util-linux");
    Harness.Outcome outcome = harness.call("/usr/bin/id");
    assertThat(outcome.text()).startsWith("uid=65534(nobody) gid=65534").doesNotContain("root");
    Harness.Outcome noSuchUser = harness.call("/usr/bin/printenv", "HOME");
    assertThat(noSuchUser.stderr()).contains("there is no user no-such-user in /etc/passwd");
    assertThat(noSuchUser.code()).isIn(125, 126);
  }

  @Test
  void aChangedFileIsRefused() throws Exception {
    Files.writeString(script, "#!/bin/sh\necho other\n");
    assertThat(harness.call(script.toString(), "one").stderr())
        .contains("fits no rule: test.policy[script]: its digest is not in Sha256=, it is ");
    assertThat(harness.call("/usr/bin/env").code()).isEqualTo(126);
  }

  @Test
  void aFileThatOthersMayChangeIsRefused() throws Exception {
    Files.setAttribute(script, "unix:mode", 0777);
    assertThat(harness.call(script.toString(), "one").stderr())
        .contains("somebody else than root can write it");
  }

  @Test
  void otherArgumentsAndOtherNamesOfTheFileAreRefused() throws Exception {
    Harness.Outcome outcome = harness.call("/bin/cat", "/etc/passwd");
    assertThat(outcome.code()).isEqualTo(126);
    assertThat(outcome.stderr()).contains("argument 1 is '/etc/passwd'");
    Path second = Files.createSymbolicLink(dir.resolve("second"), script);
    assertThat(harness.call(second.toString(), "one").stderr())
        .contains("was not called as Program=" + script);
  }

  @Test
  void explainsAndRunsNothing() throws Exception {
    Path witness = dir.resolve("witness");
    Explain explain =
        new Explain(new RemoteConnector(dir.toString(), false), harness.runDir.toString());
    Explain.Answer yes = explain.ask(List.of("/bin/sh", "-c", "touch " + witness), Wishes.USUAL);
    assertThat(yes.exitCode()).isZero();
    assertThat(yes.text())
        .startsWith("/bin/sh: allowed by " + dir.resolve("whitelist") + "\n")
        .contains("  requester: uid 0 on ");
    Explain.Answer no = explain.ask(List.of("/bin/cat", "/etc/passwd"), Wishes.USUAL);
    assertThat(no.exitCode()).isEqualTo(126);
    assertThat(no.text())
        .startsWith(
            "/bin/cat: refused, fits no rule: test.policy[cat]: argument 1 is '/etc/passwd'");
    assertThat(witness).doesNotExist();
  }

  /** Whoever asks for more waits no longer than the server has patience. */
  @Test
  void aGraceTimeIsBoundedByTheServer() throws Exception {
    Process process =
        harness
            .rexec(
                "--timeout=200ms",
                "--kill-grace=1h",
                "/bin/sh",
                "-c",
                "trap '' TERM; while :; do sleep 0.1; done")
            .start();
    assertThat(Harness.outcome(process).code()).isEqualTo(124);
  }

  @Test
  void aRequesterHasSoManyProgramsAndNoMore() throws Exception {
    Path fifo = dir.resolve("fifo");
    Pipe.makeFifo(fifo, 0600);
    var first = Harness.background(() -> harness.call("/bin/sh", "-c", "read x <" + fifo));
    var second = Harness.background(() -> harness.call("/bin/sh", "-c", "read x <" + fifo));
    Await.until("two run", () -> harness.context.running().counts().running() == 2);
    Harness.Outcome third = harness.call("/bin/sh", "-c", "exit 3");
    assertThat(third.code()).isEqualTo(126);
    assertThat(third.stderr()).contains("uid 0 has 2 programs running already");
    Files.writeString(fifo, "a\nb\n");
    assertThat(Harness.get(first).code()).isEqualTo(Harness.get(second).code());
    Await.until("a place is free", () -> harness.context.running().counts().running() == 0);
  }
}
