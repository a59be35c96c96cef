package qtfs.rexec;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The options of rexec that say what a program finds around it. */
final class SurroundingsTest {
  @TempDir static Path dir;

  private static Harness harness;

  @BeforeAll
  static void setUp() throws Exception {
    harness = new Harness(dir, "/bin/sh", "/bin/true", "/usr/bin/env", "/bin/sleep", "sh");
  }

  @AfterAll
  static void tearDown() {
    harness.close();
  }

  private static Harness.Outcome rexec(String... args) throws Exception {
    return Harness.outcome(harness.rexec(args).start());
  }

  @Test
  void directoryNicenessAndVariables() throws Exception {
    Path there = Files.createDirectory(dir.resolve("th\u00e9re"));
    ProcessBuilder builder =
        harness.rexec(
            "--cwd",
            there.toString(),
            "--nice",
            "7",
            "-e",
            "A=1",
            "--env",
            "A=2=\u00e9",
            "-e",
            "MINE",
            "-e",
            "UNSET",
            "/bin/sh",
            "-c",
            "pwd; nice; echo $A $MINE ${UNSET-unset} $GREETING");
    builder.environment().put("MINE", "my own");
    builder.environment().remove("UNSET");
    Harness.Outcome outcome = Harness.outcome(builder.start());
    assertThat(outcome.stderr()).isEmpty();
    assertThat(outcome.text()).isEqualTo(there + "\n7\n2=\u00e9 my own unset hello\n");
  }

  @Test
  void noOtherVariables() throws Exception {
    assertThat(rexec("--clear-env", "-e", "A=1", "/usr/bin/env").text()).isEqualTo("A=1\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "LD_PRELOAD=/x.so",
        "LD_LIBRARY_PATH=/x",
        "BASH_ENV=/x",
        "JAVA_TOOL_OPTIONS=-version",
        "PYTHONPATH=/x",
        "BASH_FUNC_ls%%=() { :; }",
        "X=() { :; }; echo bad",
      })
  void dangerousVariablesAreRefused(String variable) throws Exception {
    Harness.Outcome outcome = rexec("--env", variable, "/bin/sh", "-c", "echo ran");
    assertThat(outcome.code()).isEqualTo(126);
    assertThat(outcome.output()).isEmpty();
    assertThat(outcome.stderr())
        .startsWith(
            "rexec_server: /bin/sh: may not be given the variable "
                + variable.substring(0, variable.indexOf('='))
                + " (");
  }

  @ParameterizedTest
  @CsvSource({"--user, nobody", "--nice, -1", "--cwd, /nowhere", "--cwd, /etc/passwd"})
  void whatIsNotGrantedDoesNotRun(String option, String value) throws Exception {
    Harness.Outcome outcome = rexec(option, value, "/bin/sh", "-c", "echo ran");
    assertThat(outcome.code()).isEqualTo(126);
    assertThat(outcome.output()).isEmpty();
    assertThat(outcome.stderr()).startsWith("rexec_server: /bin/sh: ").hasLineCount(1);
  }

  @Test
  void aTimeLimit() throws Exception {
    Harness.Outcome outcome = rexec("--timeout", "200ms", "/bin/sleep", "60");
    assertThat(outcome.code()).isEqualTo(124);
    assertThat(outcome.stderr())
        .isEqualTo("rexec: /bin/sleep: ended, it took longer than --timeout allows\n");
    assertThat(rexec("--timeout", "1h", "/bin/sh", "-c", "exit 3").code()).isEqualTo(3);
    Harness.Outcome stubborn =
        rexec(
            "--timeout=200ms",
            "--kill-grace=200ms",
            "/bin/sh",
            "-c",
            "trap '' TERM; while :; do sleep 0.1; done");
    assertThat(stubborn.code()).isEqualTo(124);
  }

  @Test
  void furtherDescriptors() throws Exception {
    ProcessBuilder builder =
        harness.rexecIn(
            "exec 7< <(echo seven) 9> >(cat >&2); \"$@\"",
            "--fd",
            "7",
            "--fd",
            "9",
            "/bin/sh",
            "-c",
            "cat <&7; echo nine >&9; ls /proc/$$/fd");
    Harness.Outcome outcome = Harness.outcome(builder.start());
    assertThat(outcome.code()).isZero();
    assertThat(outcome.text()).isEqualTo("seven\n0\n1\n2\n7\n9\n");
    assertThat(outcome.stderr()).isEqualTo("nine\n");
  }

  @Test
  void aGrandchildThatKeepsTheOutput() throws Exception {
    String script = "(sleep 1; echo late) & echo early; exit 5";
    Harness.Outcome eof = rexec("--wait=eof", "/bin/sh", "-c", script);
    assertThat(eof).isEqualTo(new Harness.Outcome(5, "early\nlate\n", "", ""));
    Harness.Outcome exit = rexec("--wait=exit", "/bin/sh", "-c", "sleep 60 & echo early; exit 5");
    assertThat(exit).isEqualTo(new Harness.Outcome(5, "early\n", "", ""));
  }

  @ParameterizedTest
  @CsvSource({
    "--cwd=srv, does not begin with /",
    "--nice=x, is no number",
    "--nice=20, is no number",
    "--timeout=0, is no duration",
    "--timeout=5 parsecs, is no duration",
    "--timeout=1000h, is no duration",
    "--kill-grace=-1, is no duration",
    "--wait=never, is neither",
    "--env=, is neither",
    "--fd=2, is not from 3",
    "--fd=77, is no descriptor",
    "--fd=x, is no number",
    "--no-such, Unknown option",
  })
  void whatIsNoOptionDoesNotRun(String option, String why) throws Exception {
    Harness.Outcome outcome = rexec(option, "/bin/sh", "-c", "echo ran");
    assertThat(outcome.code()).isEqualTo(125);
    assertThat(outcome.output()).isEmpty();
    assertThat(outcome.stderr()).startsWith("rexec: ").contains(why).hasLineCount(1);
  }

  @Test
  void argumentsThatLookLikeAFileOfThemAreKept() throws Exception {
    Path file = Files.writeString(dir.resolve("arguments"), "other");
    assertThat(rexec("-T", "/bin/sh", "-c", "echo $1", "x", "@" + file).text())
        .isEqualTo("@" + file + "\n");
  }

  @Test
  void theNameOfALinkIsTheProgram() throws Exception {
    ProcessBuilder builder = harness.rexec("-c", "echo \"$0 $1\"", "--help", "a  b");
    builder
        .command()
        .add(builder.command().indexOf(Rexec.class.getName()), "-Dqtfs.argv0=/usr/bin/sh");
    assertThat(Harness.outcome(builder.start()).text()).isEqualTo("--help a  b\n");
  }

  @ParameterizedTest
  @CsvSource({
    "'<&-'",
    "'</dev/null'",
    "'<file'",
    "'<>file'",
    "'< <(cat file)'",
    "'</dev/tcp/127.0.0.1/PORT'",
  })
  void everyKindOfStandardInput(String redirection) throws Exception {
    Path file = Files.writeString(dir.resolve("input"), "");
    try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String with =
          redirection
              .replace("file", file.toString())
              .replace("PORT", Integer.toString(server.getLocalPort()));
      var accepted =
          Harness.background(
              () -> {
                server.accept().close();
                return true;
              });
      Process process =
          harness.rexecIn("\"$@\" " + with, "/bin/sh", "-c", "cat; echo end; exit 44").start();
      Harness.Outcome outcome = Harness.outcome(process);
      assertThat(outcome).isEqualTo(new Harness.Outcome(44, "end\n", "", ""));
      assertThat(accepted.isDone()).isEqualTo(redirection.contains("tcp"));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "'>&-', ''",
    "'2>&-', out",
    "'>&- 2>&-', ''",
    "'<&- >&- 2>&-', ''",
    "'>/dev/null', ''",
    "'2>/dev/null', out",
    "'>file; cat file', out",
    "'2>>file', out",
    "'| cat; exit ${PIPESTATUS[0]}', out",
  })
  void everyKindOfOutput(String redirection, String seen) throws Exception {
    Path file = dir.resolve("output");
    Process process =
        harness
            .rexecIn(
                "\"$@\" " + redirection.replace("file", file.toString()),
                "/bin/sh",
                "-c",
                "echo out; echo err >&2; exit 3")
            .start();
    Harness.Outcome outcome = Harness.outcome(process);
    assertThat(outcome.code()).isEqualTo(redirection.contains("; cat") ? 0 : 3);
    assertThat(outcome.text().strip()).isEqualTo(seen);
    Files.deleteIfExists(file);
  }

  @Test
  void aPipeAsInputIsPassedOnAndNotCopied() throws Exception {
    ProcessBuilder builder = harness.rexec("/bin/sh", "-c", "read line; echo $line; echo $$");
    // What the program does not read is still there for the next.
    builder
        .command()
        .addAll(0, List.of("/bin/bash", "-c", "printf 'a\\nb\\n' | (\"$@\"; cat)", "x"));
    assertThat(Harness.outcome(builder.start()).text()).startsWith("a\n").endsWith("b\n");
  }

  @Test
  void aLargeInputComesWhole() throws Exception {
    Process process = harness.rexec("/bin/sh", "-c", "wc -c; exit 3").start();
    byte[] piece = new byte[1 << 20];
    try (var in = process.getOutputStream()) {
      for (int i = 0; i < 64; i++) {
        in.write(piece);
      }
    }
    Harness.Outcome outcome = Harness.outcome(process);
    assertThat(outcome.code()).isEqualTo(3);
    assertThat(outcome.text().strip()).isEqualTo(Integer.toString(64 << 20));
  }
}
