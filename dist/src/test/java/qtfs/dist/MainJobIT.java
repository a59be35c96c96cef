package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import qtfs.dist.TwoHosts.Host;

/** A program runs on the other host, and what goes in and comes out is all there. */
final class MainJobIT {
  @AutoClose private static TwoHosts hosts;

  @BeforeAll
  static void up() throws Exception {
    hosts = TwoHosts.up();
  }

  @Test
  void showsOutputErrorsAndCode() throws Exception {
    Running.Result result =
        hosts.sh(
            Host.A, "printf 'one\\ntwo\\n' | \"$REXEC\" /bin/sh -c 'cat; echo err >&2; exit 7'");
    assertThat(result.output()).as("%s", result).isEqualTo("one\ntwo\n");
    assertThat(result.stderr()).as("%s", result).isEqualTo("err\n");
    assertThat(result.code()).as("%s", result).isEqualTo(7);
  }

  @Test
  void runsOnTheOtherHost() throws Exception {
    assertThat(hosts.rexec("uname", "-n").output()).isEqualTo("hostB\n");
  }

  @Test
  void keepsArgumentsAsTheyAre() throws Exception {
    Running.Result result =
        hosts.rexec(
            "/bin/sh", "-c", "printf '<%s>' \"$@\"", "sh", "", "two words", "-x", "$HOME *", "é€");
    assertThat(result.output()).as("%s", result).isEqualTo("<><two words><-x><$HOME *><é€>");
  }

  @Test
  void deliversTwoMillionLines() throws Exception {
    Running.Result result = hosts.sh(Host.A, "\"$REXEC\" /bin/sh -c 'seq 2000000' | cksum");
    Running.Result expected = hosts.sh(Host.A, "seq 2000000 | cksum");
    assertThat(result.output()).as("%s", result).isEqualTo(expected.output());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"$REXEC\" /bin/cat <\"$1\" >\"$2\"",
        "cat \"$1\" | \"$REXEC\" /bin/cat | cat >\"$2\""
      })
  void carriesSixtyFourMebibytesThereAndBack(String script) throws Exception {
    Path in = hosts.shared().resolve("64MiB");
    Path out = hosts.shared().resolve("64MiB.back");
    byte[] bytes = new byte[64 << 20];
    new Random(42).nextBytes(bytes);
    Files.write(in, bytes);
    Running.Result result = hosts.sh(Host.A, script, in.toString(), out.toString());
    assertThat(result.stderr()).as("%s", result).isEmpty();
    assertThat(Files.mismatch(in, out)).isEqualTo(-1);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 4087, 4088, 4089, 65535, 65536, 65537, 10_000_000})
  void losesNoByteOfWhatWasWrittenBeforeTheExit(int bytes) throws Exception {
    assertExactOutput(bytes);
  }

  @Test
  void losesNoByteOfAGibibyte() throws Exception {
    Running.Result result =
        hosts.sh(
            Host.A,
            "{ \"$REXEC\" /bin/sh -c 'head -c 1G /dev/zero; exit 3'; echo code $? >&2; } | wc -c");
    assertThat(result.output().strip()).as("%s", result).isEqualTo(Integer.toString(1 << 30));
    assertThat(result.stderr()).as("%s", result).isEqualTo("code 3\n");
  }

  /** A hundred times, some at once, with nobody at the pipe when the program ends. */
  @Test
  void losesNoByteTimeAndAgain() throws Exception {
    Running.Result result =
        hosts.sh(
            Host.A,
            """
            call() {
              "$REXEC" /bin/sh -c 'head -c 1000000 /dev/zero; exit 3' >"$1/$2.out"
              echo "$? $(wc -c <"$1/$2.out")"
              rm "$1/$2.out"
            }
            for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24; do
              for j in 1 2 3 4; do call "$1" "$i.$j" & done
              wait
            done
            """,
            hosts.shared().toString());
    assertThat(result.output().lines()).as("%s", result).hasSize(100).containsOnly("3 1000000");
  }

  private static void assertExactOutput(int bytes) throws Exception {
    Running.Result result = hosts.rexec("/bin/sh", "-c", "head -c " + bytes + " /dev/zero; exit 3");
    assertThat(result.output()).as("%s", result).hasSize(bytes);
    assertThat(result.code()).as("%s", result).isEqualTo(3);
  }
}
