package qtfs.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class WatchdogTest {
  private static final Duration NONE_YET = Duration.ofMillis(1);

  @TempDir Path dir;

  @Test
  void givesASignWhileThereIsLife() throws IOException {
    String path = dir.resolve("notify").toString();
    AtomicBoolean alive = new AtomicBoolean();
    try (Fd manager = UnixSocket.open(UnixSocket.Type.DGRAM, true)) {
      assertThat(UnixSocket.bindOwnerOnly(manager, path)).isZero();
      Watchdog watchdog = new Watchdog(new Notification(path), Duration.ofNanos(3), alive::get);
      watchdog.feed();
      assertThat(Poll.readable(NONE_YET, manager)[0]).as("hangs").isZero();
      alive.set(true);
      watchdog.feed();
      assertThat(NotificationTest.receive(manager)).isEqualTo("WATCHDOG=1");
    }
  }

  @Test
  void givesNoSignBeforeItIsDue() throws IOException {
    String path = dir.resolve("notify").toString();
    try (Fd manager = UnixSocket.open(UnixSocket.Type.DGRAM, true)) {
      assertThat(UnixSocket.bindOwnerOnly(manager, path)).isZero();
      Watchdog watchdog =
          new Watchdog(
              new Notification(path),
              Duration.ofHours(3),
              () -> {
                throw new AssertionError("asked too early");
              });
      watchdog.feed();
      assertThat(watchdog.period()).isEqualTo(Duration.ofHours(1));
      assertThat(Poll.readable(NONE_YET, manager)[0]).isZero();
    }
  }

  @Test
  void isThereOnlyForTheProcessThatItIsMeantFor() {
    assertThat(Watchdog.interval(Map.of(), 7)).isEmpty();
    assertThat(Watchdog.interval(Map.of("WATCHDOG_USEC", "1500000"), 7))
        .contains(Duration.ofMillis(1500));
    Map<String, String> ours = Map.of("WATCHDOG_USEC", "1", "WATCHDOG_PID", "7");
    assertThat(Watchdog.interval(ours, 7)).contains(Duration.ofNanos(1000));
    assertThat(Watchdog.interval(ours, 8)).isEmpty();
    assertThat(Watchdog.interval(Map.of("WATCHDOG_USEC", "soon"), 7)).isEmpty();
    assertThat(Watchdog.interval(Map.of("WATCHDOG_USEC", "0"), 7)).isEmpty();
    assertThat(Watchdog.interval(Map.of("WATCHDOG_USEC", "9223372036854775807"), 7)).isEmpty();
  }
}
