package qtfs.linux;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What leads a {@link Daemon} from its start to its end, on the thread that calls {@link #run}: it
 * reacts to signals, to changes of files and to the service manager, and tells the manager of each
 * step.
 *
 * <p>SIGHUP, or a change of a watched file, is a reload. SIGTERM and SIGINT drain for as long as
 * they are told to and end; a second one ends at once.
 */
public final class DaemonRunner {
  /** Between two looks at the files, and at what is left to drain. */
  private static final Duration TICK = Duration.ofMillis(400);

  private static final Duration DRAIN_TICK = Duration.ofMillis(50);

  private static final Duration FOREVER = Duration.ofDays(36_500);

  /** What the end of a daemon takes at most, after the drain. */
  private static final Duration ENDING = Duration.ofSeconds(10);

  /** What the runner reacts to. */
  private sealed interface Event {
    /** The first: it also has the code of all the others linked while there are descriptors. */
    record Started() implements Event {}

    record Reload(String cause) implements Event {}

    record Drain(String cause) implements Event {}

    record Stop(String signal) implements Event {}

    record Failed(String reason) implements Event {}
  }

  private final Notification manager;
  private final Duration closeTimeout;
  private final List<FileWatch> files;
  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();

  /**
   * A runner, which notes how the files are now: before the daemon reads them.
   *
   * @param closeTimeout how long a drain by signal waits for the work under way
   * @param files whose change is a reload
   */
  public DaemonRunner(Notification manager, Duration closeTimeout, List<Path> files) {
    this.manager = manager;
    this.closeTimeout = closeTimeout;
    this.files = files.stream().map(FileWatch::new).toList();
  }

  /** Catches the signals from now on; what comes before {@link #run} is answered by it. */
  public void catchSignals() {
    Signals.on(Signals.Name.INT, () -> events.add(new Event.Stop("SIGINT")));
    Signals.on(Signals.Name.TERM, () -> events.add(new Event.Stop("SIGTERM")));
    Signals.on(Signals.Name.HUP, () -> events.add(new Event.Reload("SIGHUP")));
  }

  /** Lets the daemon take no new work, and end when none is left; any thread. */
  public void drain(String cause) {
    events.add(new Event.Drain(cause));
  }

  /** Lets the daemon end now because it cannot go on; any thread. */
  public void fail(String reason) {
    events.add(new Event.Failed(reason));
  }

  /**
   * Leads a daemon that serves until it has stopped.
   *
   * @return whether it ended because it was told to
   */
  public boolean run(Daemon daemon) throws InterruptedException {
    return new Run(daemon).untilStopped();
  }

  /** A drain under way; one by signal ends with its limit. */
  private record Drain(long begun, Duration limit, boolean bySignal) {
    boolean isOver() {
      return System.nanoTime() - begun >= limit.toNanos();
    }
  }

  /** One daemon's run; all on the thread that runs it. */
  private final class Run {
    private final Daemon daemon;
    private final Optional<Watchdog> watchdog;
    private @Nullable Drain drain;

    Run(Daemon daemon) {
      this.daemon = daemon;
      this.watchdog = Watchdog.fromEnvironment(manager, daemon::isAlive);
    }

    boolean untilStopped() throws InterruptedException {
      events.add(new Event.Started());
      while (true) {
        Event event = events.poll(pause().toNanos(), TimeUnit.NANOSECONDS);
        watchdog.ifPresent(Watchdog::feed);
        switch (event) {
          case null -> {
            if (drain != null && (daemon.workLeft() == 0 || drain.isOver())) {
              end();
              return true;
            }
            files.stream().filter(FileWatch::changed).forEach(f -> reload(f.path() + " changed"));
          }
          case Event.Started() -> {
            Log.info(daemon.status());
            manager.ready(daemon.status());
          }
          case Event.Reload(String cause) -> reload(cause);
          case Event.Drain(String cause) -> drain(cause, FOREVER, false);
          case Event.Stop(String signal) -> {
            Log.info(signal + ": stopping");
            if (mustEndAtOnce()) {
              end();
              return true;
            }
            drain(signal, closeTimeout, true);
          }
          case Event.Failed(String reason) -> {
            Log.error(reason);
            end();
            return false;
          }
        }
      }
    }

    private Duration pause() {
      Duration tick = drain == null ? TICK : DRAIN_TICK;
      return watchdog.map(Watchdog::period).filter(p -> p.compareTo(tick) < 0).orElse(tick);
    }

    /** On a signal: where there is nothing to wait for, or it is the second. */
    private boolean mustEndAtOnce() {
      return closeTimeout.isZero() || (drain != null && drain.bySignal());
    }

    private void drain(String cause, Duration limit, boolean bySignal) {
      if (drain != null && !bySignal) {
        return; // it drains already
      }
      if (drain == null) {
        daemon.drain();
      }
      drain = new Drain(System.nanoTime(), limit, bySignal);
      String status = cause + ": takes no new work, " + daemon.workLeft() + " under way";
      Log.info(status);
      if (bySignal) {
        manager.stopping(status, limit.plus(ENDING));
      } else {
        manager.status(status); // to stop, for the manager, is to be gone within its own time
      }
    }

    private void reload(String cause) {
      if (drain != null) {
        Log.info(cause + ": not read again, since this is ending");
        return;
      }
      Log.info(cause + ": reading it again");
      manager.reloading();
      try {
        daemon.reload();
      } catch (RuntimeException | LinkageError e) {
        Log.error("not read again: " + e); // LinkageError: without descriptors, no new classes
      }
      manager.ready(daemon.status());
    }

    private void end() throws InterruptedException {
      if (drain == null || !drain.bySignal()) {
        manager.stopping();
      }
      int left = daemon.workLeft();
      if (drain != null && left > 0) {
        Log.warn("ends what is still under way: " + left);
      }
      daemon.stop();
      Log.info("stopped");
    }
  }
}
