package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/** Signals, terminals, surroundings and names are those of a program that runs here. */
final class AsIfItRanHereIT {
  @AutoClose private static TwoHosts hosts;

  @BeforeAll
  static void up() throws Exception {
    hosts = TwoHosts.up();
  }

  @ParameterizedTest
  @ValueSource(strings = {"HUP", "QUIT", "USR1", "USR2", "TERM", "WINCH"})
  void signalsReachTheProgram(String signal) throws Exception {
    String script =
        "trap 'echo got "
            + signal
            + "; exit 5' "
            + signal
            + "; echo ready; while :; do sleep 0.1; done";
    // Whoever runs the tests in the background may have made them ignore some.
    Running rexec =
        hosts.startSh(
            Host.A, "exec env --default-signal=HUP,QUIT \"$REXEC\" /bin/sh -c \"$1\"", script);
    Await.until("the program runs", () -> rexec.output().contains("ready"));
    rexec.signal(signal);
    Running.Result result = rexec.result();
    assertThat(result.output()).as("%s", result).endsWith("got " + signal + "\n");
    assertThat(result.code()).as("%s", result).isEqualTo(5);
  }

  @Tag("terminal")
  @Test
  void aTerminalIsThereAndIsRestored() throws Exception {
    TwoHosts.skipUnless(
        TwoHosts.succeeds("script", "--version"), "script is missing: apt-get install bsdutils");
    Running.Result result =
        hosts.sh(
            Host.A,
            "script -qec 'stty rows 33 cols 111; before=$(stty -g);"
                + " \"$REXEC\" /bin/sh -c \"tty; stty size; exit 4\"; echo code $?;"
                + " test \"$before\" = \"$(stty -g)\" && echo restored' /dev/null");
    assertThat(result.output())
        .as("%s", result)
        .contains("/dev/pts/", "33 111", "code 4", "restored");
  }

  @Test
  void surroundingsAreThoseAskedFor() throws Exception {
    Running.Result result =
        hosts.rexec(
            "--cwd",
            "/etc/rexec",
            "-e",
            "A=b c",
            "--nice",
            "3",
            "/bin/sh",
            "-c",
            "pwd; echo $A; nice");
    assertThat(result.output()).as("%s", result).isEqualTo("/etc/rexec\nb c\n3\n");
    Running.Result late = hosts.rexec("--timeout", "300ms", "/bin/sleep", "1000");
    assertThat(late.code()).as("%s", late).isEqualTo(124);
    Running.Result refused = hosts.rexec("-e", "LD_PRELOAD=/x", "/bin/true");
    assertThat(refused.code()).as("%s", refused).isEqualTo(126);
    assertThat(refused.stderr()).hasLineCount(1);
  }

  @Test
  void furtherDescriptorsArePassedOn() throws Exception {
    Running.Result result =
        hosts.sh(
            Host.A,
            "echo seven | { exec 7<&0 </dev/null; \"$REXEC\" --fd 7 /bin/sh -c 'cat <&7'; }");
    assertThat(result.output()).as("%s", result).isEqualTo("seven\n");
    Running.Result out =
        hosts.sh(
            Host.A,
            "{ \"$REXEC\" --wait=eof --fd 9 /bin/sh -c 'echo nine >&9' 9>&1 >/dev/null; } | cat");
    assertThat(out.output()).as("%s", out).isEqualTo("nine\n");
  }

  @Test
  void aLinkIsTheProgramOfItsName() throws Exception {
    Running.Result result =
        hosts.sh(
            Host.A,
            "ln -s \"$REXEC\" \"$1/uname\" && \"$1/uname\" -n && uname -n",
            hosts.shared().toString());
    assertThat(result.code()).as("%s", result).isZero();
    assertThat(result.output().lines().distinct()).as("%s", result).hasSize(2);
  }

  @Test
  void aPipeIsReadToItsEndByteForByte() throws Exception {
    Running.Result result =
        hosts.sh(
            Host.A,
            "seq 3000000 >\"$1/sent\" && seq 3000000 | \"$REXEC\" /bin/cat | cmp - \"$1/sent\" && echo same",
            hosts.shared().toString());
    assertThat(result.output()).as("%s", result).isEqualTo("same\n");
  }
}
