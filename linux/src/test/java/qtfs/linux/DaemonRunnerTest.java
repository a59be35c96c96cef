package qtfs.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.testing.Await;

/** The order of things in a daemon's life; its signals have tests with real programs. */
final class DaemonRunnerTest {
  @TempDir Path dir;

  /** Notes what it is told. */
  private static final class Recorder implements Daemon {
    private final List<String> steps = new CopyOnWriteArrayList<>();
    private final AtomicInteger work = new AtomicInteger(1);

    @Override
    public String status() {
      return "serving";
    }

    @Override
    public void reload() {
      steps.add("reload");
    }

    @Override
    public boolean isAlive() {
      return true;
    }

    @Override
    public void drain() {
      steps.add("drain");
    }

    @Override
    public int workLeft() {
      return work.get();
    }

    @Override
    public void stop() {
      steps.add("stop");
    }
  }

  private final Recorder daemon = new Recorder();

  private FutureTask<Boolean> run(DaemonRunner runner) {
    FutureTask<Boolean> run = new FutureTask<>(() -> runner.run(daemon));
    Thread.ofPlatform().daemon().start(run);
    return run;
  }

  private DaemonRunner runner() {
    return new DaemonRunner(
        new Notification(null), Duration.ofMinutes(1), List.of(dir.resolve("file")));
  }

  @Test
  void aFileThatAppearsIsReadAgainOnce() throws Exception {
    DaemonRunner runner = runner();
    FutureTask<Boolean> run = run(runner);
    Files.writeString(dir.resolve("file"), "x");
    Await.until("it reloads", () -> daemon.steps.contains("reload"));
    runner.fail("enough");
    assertThat(run.get(10, TimeUnit.SECONDS)).isFalse();
    assertThat(daemon.steps).containsExactly("reload", "stop");
  }

  @Test
  void aDrainEndsWithTheLastWork() throws Exception {
    DaemonRunner runner = runner();
    FutureTask<Boolean> run = run(runner);
    runner.drain("somebody");
    runner.drain("somebody else");
    Await.until("it drains", () -> daemon.steps.contains("drain"));
    assertThat(run.isDone()).isFalse();
    daemon.work.set(0);
    assertThat(run.get(10, TimeUnit.SECONDS)).isTrue();
    assertThat(daemon.steps).containsExactly("drain", "stop");
  }
}
