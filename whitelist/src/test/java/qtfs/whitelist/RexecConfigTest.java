package qtfs.whitelist;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RexecConfigTest {
  private static List<String> problems(String text) {
    try {
      RexecConfig.parse(text.getBytes(UTF_8), new Problems(Path.of("/x")));
      return List.of();
    } catch (WhitelistException e) {
      return e.problems().stream().map(problem -> problem.toString().substring(3)).toList();
    }
  }

  @Test
  void everyKeyIsTaken(@TempDir Path dir) throws Exception {
    Path file = dir.resolve("conf");
    assertThat(RexecConfig.loadIfPresent(file)).isEqualTo(RexecConfig.DEFAULT);
    Files.writeString(
        file,
        """
        # a comment
        [Accept]
        Environment=LANG;MY_*;LD_PRELOAD
        User=qemu;107
        Nice=-5
        [Limits]
        Programs=10
        ProgramsPerUser=2
        RequestBytes=65536
        [Programs]
        KillGrace=2min
        AtStop=kill
        """);
    RexecConfig config = RexecConfig.loadIfPresent(file);
    assertThat(config)
        .isEqualTo(
            new RexecConfig(
                config.environment(),
                List.of("qemu", "107"),
                -5,
                10,
                2,
                65536,
                Duration.ofMinutes(2),
                true));
    assertThat(config.environment().contains("MY_X")).isTrue();
    assertThat(config.environment().contains("YOUR_X")).isFalse();
    assertThat(config.environment().names("LD_PRELOAD")).isTrue();
    assertThat(config.environment().names("MY_*")).isFalse();
  }

  @Test
  void everyProblemIsToldAtOnce() {
    assertThat(
            problems(
                """
                [Accept]
                Environment=
                Nice=20
                Color=red
                [Limits]
                Programs=0
                Programs=1
                RequestBytes=much
                [Programs]
                KillGrace=soon
                AtStop=maybe
                [Other]
                """))
        .containsExactly(
            "2:1: Environment is empty: remove it, or name the name of a variable, or its beginning"
                + " and *",
            "3:6: Nice takes a number from -20 to 19, not '20'",
            "4:1: no key of [Accept]: 'Color'",
            "6:10: Programs takes a number from 1 to 100000, not '0'",
            "7:1: Programs again, after line 6: remove one",
            "8:14: RequestBytes takes a number from 4096 to 1048576, not 'much'",
            "10:11: KillGrace takes a time such as 500ms, 10s or 2min, not 'soon'",
            "11:8: AtStop takes leave or kill, not 'maybe'",
            "12:1: no section has the name 'Other': there are [Accept], [Limits], [Programs]");
  }
}
