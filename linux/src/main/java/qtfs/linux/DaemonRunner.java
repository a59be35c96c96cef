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

  /** Lets the daemon read its files again; any thread. */
  public void reload(String cause) {
    events.add(new Event.Reload(cause));
  }

  /** Lets the daemon take no new work, and end when none is left; any thread. */
  public void drain(String cause) {
    events.add(new Event.Drain(cause));
  }

  /** Lets the daemon end as a signal to stop does; any thread. */
  public void stop(String cause) {
    events.add(new Event.Stop(cause));
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

  /**
   * The way to the end.
   *
   * @param limit after which it ends whatever is left
   * @param announced whether the manager knows that the daemon stops
   */
  private record Drain(long begun, Duration limit, boolean announced) {
    boolean isOver() {
      return System.nanoTime() - begun >= limit.toNanos();
    }
  }

  /** One daemon's run; all on the thread that runs it. */
  private final class Run {
    private final Daemon daemon;
    private final Optional<Watchdog> watchdog;
    private @Nullable Drain drain;
    private boolean failed;

    Run(Daemon daemon) {
      this.daemon = daemon;
      this.watchdog = Watchdog.fromEnvironment(manager, daemon::isAlive);
    }

    boolean untilStopped() throws InterruptedException {
      events.add(new Event.Started());
      while (!isDrained()) {
        Event event = events.poll(pause().toNanos(), TimeUnit.NANOSECONDS);
        watchdog.ifPresent(Watchdog::feed);
        switch (event) {
          case null ->
              files.stream().filter(FileWatch::changed).forEach(f -> reload(f.path() + " changed"));
          case Event.Started() -> started();
          case Event.Reload(String cause) -> reload(cause);
          case Event.Drain(String cause) -> drainForever(cause);
          case Event.Stop(String signal) -> stop(signal);
          case Event.Failed(String reason) -> fail(reason);
        }
      }
      end();
      return !failed;
    }

    private boolean isDrained() {
      return drain != null && (drain.isOver() || daemon.workLeft() == 0);
    }

    private Duration pause() {
      Duration tick = drain == null ? TICK : DRAIN_TICK;
      return watchdog.map(Watchdog::period).filter(p -> p.compareTo(tick) < 0).orElse(tick);
    }

    private void started() {
      Log.info(daemon.status());
      manager.ready(daemon.status());
    }

    private void reload(String cause) {
      if (drain != null) {
        Log.info(cause + ": not read again, since this is ending");
        return;
      }
      Log.info(cause + ": reloading");
      manager.reloading();
      try {
        daemon.reload();
      } catch (RuntimeException | LinkageError e) {
        Log.error("not reloaded: " + e); // LinkageError: without descriptors, no new classes
      }
      manager.ready(daemon.status());
    }

    private void drainForever(String cause) {
      if (drain == null) {
        // To stop, for the manager, would be to be gone within the time that it allows.
        manager.status(drain(cause, FOREVER, false));
      }
    }

    /** The first signal drains, the second ends; without a time to wait the first does. */
    private void stop(String signal) {
      Log.info(signal + ": stopping");
      if (closeTimeout.isZero() || (drain != null && drain.announced())) {
        endNow();
      } else {
        manager.stopping(drain(signal, closeTimeout, true), closeTimeout.plus(ENDING));
      }
    }

    /** Begins to drain, or sets another limit; returns a status line that says so. */
    private String drain(String cause, Duration limit, boolean announced) {
      if (drain == null) {
        daemon.drain();
      }
      drain = new Drain(System.nanoTime(), limit, announced);
      String status = cause + ": takes no new work, " + daemon.workLeft() + " under way";
      Log.info(status);
      return status;
    }

    private void fail(String reason) {
      Log.error(reason);
      failed = true;
      endNow();
    }

    private void endNow() {
      boolean announced = drain != null && drain.announced();
      drain = new Drain(System.nanoTime(), Duration.ZERO, announced);
    }

    private void end() throws InterruptedException {
      if (drain != null && !drain.announced()) {
        manager.stopping();
      }
      int left = daemon.workLeft();
      if (left > 0) {
        Log.warn("ends what is still under way: " + left);
      }
      daemon.stop();
      Log.info("stopped");
    }
  }
}
