package qtfs.qtcfg;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What getopt(3) of glibc finds on the same lines; {@code _} stands for the empty argument. */
final class GetoptTest {

  private static String found(String line, boolean posix) {
    List<String> arguments =
        line.isEmpty()
            ? List.of()
            : List.of(line.split(" ")).stream().map(a -> a.equals("_") ? "" : a).toList();
    Getopt getopt = new Getopt("acl:w:z::", arguments, posix);
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < 20; i++) {
      switch (getopt.next()) {
        case Getopt.Option(char letter, var argument) ->
            out.append(letter).append(argument == null ? "" : "(" + argument + ")").append(' ');
        case Getopt.Mistake(String what) -> out.append(what).append(' ');
        case Getopt.End _ -> {
          return out.toString().strip();
        }
      }
    }
    throw new AssertionError("no end");
  }

  @ParameterizedTest
  @CsvSource({
    "'',''",
    "-a,a",
    "-ac,a c",
    "-a -c,a c",
    "-lINFO,l(INFO)",
    "-l INFO,l(INFO)",
    "-cl INFO,c l(INFO)",
    "-clINFO -a,c l(INFO) a",
    "-l _,l()",
    "-l -a,l(-a)",
    "-l -- -a,l(--) a",
    "x -a y -c z,a c",
    "x -l y z -a,l(y) a",
    "-z open,z",
    "-zopen,z(open)",
    "-az,a z",
    "-z -a,z a",
    "-a -- -c,a",
    "- -a,a",
    "_ -a,a",
    "-q,invalid option -- 'q'",
    "-aqc,a invalid option -- 'q' c",
    "-a:,a invalid option -- ':'",
    "--,''",
    "--a,invalid option -- '-' a",
    "-l,option requires an argument -- 'l'",
    "-al,a option requires an argument -- 'l'",
    "x -w,option requires an argument -- 'w'",
  })
  void finds(String line, String expected) {
    assertThat(found(line, false)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({"-a x -c,a", "x -a,''", "-l x -c,l(x) c"})
  void theFirstOperandIsTheEndIfPosixIsWanted(String line, String expected) {
    assertThat(found(line, true)).isEqualTo(expected);
  }
}
