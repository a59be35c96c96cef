package qtfs.rexec;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.Log;
import qtfs.linux.Spawn;
import qtfs.testing.Await;

/** Many calls, at once and one after another, all right and nothing of them left. */
final class ManyCallsTest {
  private static final int AT_ONCE = 200;

  /** Ten thousand take a minute or more: {@code -Dqtfs.calls=10000}. */
  private static final int IN_A_ROW = Integer.getInteger("qtfs.calls", 1000);

  private static final int ROWS = 4;

  /** Far beyond what it takes: only a hang meets it. */
  private static final long LIMIT_MINUTES = 10;

  @TempDir Path dir;
  private Harness harness;
  private Log.Level level;

  @BeforeEach
  void setUp() throws Exception {
    harness = new Harness(dir, "/bin/sh", "/bin/true");
    level = Log.level();
    Log.level(Log.Level.WARN);
    // What is opened once.
    assertThat(harness.call("/bin/true").code()).isZero();
  }

  @AfterEach
  void tearDown() {
    Log.level(level);
    harness.close();
  }

  @Test
  void twoHundredAtOnce() throws Exception {
    List<CompletableFuture<Harness.Outcome>> calls = new ArrayList<>();
    for (int i = 0; i < AT_ONCE; i++) {
      byte[] input = ("input " + i + "\n").getBytes(US_ASCII);
      String script = "cat; echo error " + i + " >&2; exit " + i;
      calls.add(Harness.background(() -> harness.call(input, "/bin/sh", "-c", script)));
    }
    for (int i = 0; i < AT_ONCE; i++) {
      Harness.Outcome outcome = calls.get(i).get(LIMIT_MINUTES, TimeUnit.MINUTES);
      assertThat(outcome.code()).as("%s", outcome).isEqualTo(i);
      assertThat(outcome.text()).isEqualTo("input " + i + "\n");
      assertThat(outcome.stderr()).isEqualTo("error " + i + "\n");
    }
    assertNothingIsLeft();
  }

  @Test
  void thousandsInARow() throws Exception {
    int openBefore = Spawn.openNumbers().size();
    AtomicInteger left = new AtomicInteger(IN_A_ROW);
    List<CompletableFuture<Boolean>> rows = new ArrayList<>();
    for (int i = 0; i < ROWS; i++) {
      rows.add(Harness.background(() -> callUntilNoneIsLeft(left)));
    }
    for (CompletableFuture<Boolean> row : rows) {
      assertThat(row.get(LIMIT_MINUTES, TimeUnit.MINUTES)).isTrue();
    }
    assertNothingIsLeft();
    Await.until("as many descriptors as before", () -> Spawn.openNumbers().size() <= openBefore);
  }

  private boolean callUntilNoneIsLeft(AtomicInteger left) throws Exception {
    while (left.getAndDecrement() > 0) {
      Harness.Outcome outcome = harness.call("/bin/true");
      assertThat(outcome).isEqualTo(new Harness.Outcome(0, "", "", ""));
    }
    return true;
  }

  private void assertNothingIsLeft() throws Exception {
    Await.until("no child is left", () -> harness.context.children().size() == 0);
    Await.until("no program is noted", () -> harness.context.running().counts().running() == 0);
    Await.until("no thread is left", () -> threadsOfCalls() == 0);
    assertThat(harness.runDir.resolve("pids")).isEmptyDirectory();
    assertThat(harness.runDir.resolve("programs")).isEmptyDirectory();
    try (Stream<Path> files = Files.list(harness.runDir)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder("pids", "programs", "rexec_uds.lock", "rexec_uds.sock");
    }
  }

  private static long threadsOfCalls() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.startsWith("standard ") || name.equals("session"))
        .count();
  }
}
