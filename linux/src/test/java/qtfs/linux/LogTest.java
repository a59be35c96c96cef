package qtfs.linux;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.time.LocalDateTime;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class LogTest {
  private final ByteArrayOutputStream written = new ByteArrayOutputStream();
  private final PrintStream before = System.err;
  private final Log.Level levelBefore = Log.level();

  @BeforeEach
  void capture() {
    System.setErr(new PrintStream(written, true, UTF_8));
  }

  @AfterEach
  void release() {
    System.setErr(before);
    Log.level(levelBefore);
  }

  private static void logAll(String text) {
    Log.error(text);
    Log.warn(text);
    Log.info(text);
    Log.debug(text);
  }

  @ParameterizedTest
  @CsvSource({"NONE, 0", "ERROR, 1", "WARN, 2", "INFO, 3", "DEBUG, 4"})
  void tellsAsMuchAsItsLevel(Log.Level level, int lines) {
    Log.level(level);
    logAll("an event");
    assertThat(written.toString(UTF_8).lines())
        .hasSize(lines)
        .allMatch(l -> l.endsWith("an event"));
    assertThat(Log.isDebug()).isEqualTo(level == Log.Level.DEBUG);
  }

  @Test
  void anEventIsOneLineWhateverIsInIt() {
    Log.error("a\nb\r\u001b[31mc\u0000d\u007fe\u0085f\tg");
    assertThat(written.toString(UTF_8).lines()).hasSize(1);
    assertThat(written.toString(UTF_8)).contains("a\\x0ab\\x0d\\x1b[31mc\\x00d\\x7fe\\x85f\\x09g");
  }

  @ParameterizedTest
  @ValueSource(strings = {"2026-11-22T18:12:00", "2026-11-22T00:00:00", "2026-11-22T18:12:59"})
  void aTimeHasItsSecondsAlsoWhenTheyAreNone(String time) {
    assertThat(Log.toTheSecond(LocalDateTime.parse(time).withNano(7))).isEqualTo(time);
  }

  @Test
  void textWithoutControlCharactersStaysAsItIs() {
    assertThat(Log.escape("/run/t.sock \u00fc \u4e2d \ud83d\ude00"))
        .isEqualTo("/run/t.sock \u00fc \u4e2d \ud83d\ude00");
    assertThat(Log.escape("\u4e2d\n\ud83d\ude00")).isEqualTo("\u4e2d\\x0a\ud83d\ude00");
    assertThat(Log.escape("")).isEmpty();
  }

  @Test
  void anAuditLineIsWordsWithQuotesWhereTheyAreNeeded() {
    Log.level(Log.Level.NONE);
    Log.audit(
        Audit.of("session-end")
            .with("session", 12)
            .with("path", "/run/a b\"\n.sock")
            .with("from", "10.0.0.2")
            .withUnknown("bytes")
            .withSeconds("seconds", 1_002_999_999L));
    assertThat(written.toString(UTF_8))
        .endsWith(
            "AUDIT session-end session=12 path=\"/run/a b\\\"\\x0a.sock\" from=10.0.0.2"
                + " bytes=null seconds=1.002\n");
  }

  @Test
  void inJsonEachLineIsAnObject() {
    Log.format(Log.Format.JSON);
    try {
      Log.warn("a \"b\" \\ \n \u00fc");
      Log.audit(
          Audit.of("refusal")
              .with("path", "/x\ud83d\ude00\ud83d")
              .with("uid", 0)
              .withUnknown("bytes"));
    } finally {
      Log.format(Log.Format.TEXT);
    }
    String[] lines = written.toString(UTF_8).split("\n");
    assertThat(lines).hasSize(2);
    assertThat(lines[0])
        .startsWith("{\"time\":\"2")
        .endsWith("\"level\":\"warn\",\"message\":\"a \\\"b\\\" \\\\ \\u000a \u00fc\"}");
    assertThat(lines[1])
        .endsWith(
            "\"level\":\"audit\",\"event\":\"refusal\",\"path\":\"/x\ud83d\ude00\\ud83d\",\"uid\":0,\"bytes\":null}");
  }
}
