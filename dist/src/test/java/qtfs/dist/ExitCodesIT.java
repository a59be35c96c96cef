package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import qtfs.dist.TwoHosts.Host;

/** rexec ends with the program's code, or 128 and the signal that killed it. */
final class ExitCodesIT {
  @AutoClose private static TwoHosts hosts;

  @BeforeAll
  static void up() throws Exception {
    hosts = TwoHosts.up();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 44, 124, 125, 126, 127, 128, 255})
  void codes(int code) throws Exception {
    Running.Result result = hosts.rexec("/bin/sh", "-c", "exit " + code);
    assertThat(result.code()).as("%s", result).isEqualTo(code);
    assertThat(result.stderr()).as("%s", result).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 6, 9, 11, 13, 15})
  void signals(int signal) throws Exception {
    Running.Result result =
        hosts.rexec("/bin/sh", "-c", "ulimit -c 0; kill -" + signal + " $$; sleep 60");
    assertThat(result.code()).as("%s", result).isEqualTo(128 + signal);
  }

  @ParameterizedTest
  @CsvSource({
    "'', hi",
    "'</dev/null', hi",
    "'<&-', hi",
    "'>/dev/null', ''",
    "'>&-', ''",
    "'2>/dev/null', hi",
    "'2>&-', hi",
    "'<&- >&- 2>&-', ''",
    "'<&- >/dev/null 2>&1', ''"
  })
  void whateverStandardInputAndOutputAre(String redirections, String output) throws Exception {
    Running.Result result =
        hosts.sh(Host.A, "\"$REXEC\" /bin/sh -c 'echo hi; exit 44' " + redirections);
    assertThat(result.code()).as("%s", result).isEqualTo(44);
    assertThat(result.output().strip()).isEqualTo(output);
  }

  /**
   * The end of input that script(1) types at once may come before a terminal of the program's own
   * could take it, so the one that waits for it reads from the caller's.
   */
  @Tag("terminal")
  @ParameterizedTest
  @CsvSource({"'', exit 44", "-T, exit 44", "-T, cat; exit 44"})
  void onATerminal(String option, String script) throws Exception {
    TwoHosts.skipUnless(
        TwoHosts.succeeds("script", "--version"), "script is missing: apt-get install bsdutils");
    Running.Result result =
        hosts.sh(
            Host.A,
            "script -qec \"$REXEC $2 /bin/sh -c 'echo hi; $1'\" /dev/null </dev/null",
            script,
            option);
    assertThat(result.code()).as("%s", result).isEqualTo(44);
    assertThat(result.output()).as("%s", result).contains("hi");
  }
}
