package qtfs.engine;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import qtfs.linux.LinuxException;
import qtfs.linux.Log;
import qtfs.linux.Notification;
import qtfs.linux.ProcessAttributes;
import qtfs.linux.Signals;
import qtfs.udsproxy.StartException;

/** The program {@code engine}: reads its arguments, runs a {@link Service} until SIGTERM. */
public final class Engine {
  /** The deployed engine's exit code for whatever keeps it from serving. */
  private static final int FAILED = 255;

  private final EngineConfig config;
  private final Notification manager = Notification.fromEnvironment();
  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();

  private Engine(EngineConfig config) {
    this.config = config;
  }

  /** Runs the engine; returns only by ending the process. */
  public static void main(String[] args) throws InterruptedException {
    System.exit(run(args));
  }

  private static int run(String[] args) throws InterruptedException {
    CommandLine commandLine = new CommandLine(EngineOptions.spec());
    try {
      ParseResult parsed = commandLine.parseArgs(args);
      if (CommandLine.printHelpIfRequested(parsed)) {
        return 0;
      }
      EngineConfig config = EngineOptions.config(parsed);
      if (EngineOptions.onlyCheck(parsed)) {
        return check(config);
      }
      return new Engine(config).serve();
    } catch (ParameterException e) {
      complain(List.of(String.valueOf(e.getMessage())));
      commandLine.usage(System.err);
    } catch (EngineException e) {
      complain(e.lines());
    } catch (StartException | LinuxException e) {
      complain(List.of(String.valueOf(e.getMessage())));
    }
    return FAILED;
  }

  private static void complain(List<String> lines) {
    lines.forEach(line -> System.err.println("engine: " + Log.escape(line)));
  }

  private static int check(EngineConfig config) {
    List<String> problems = new Check(config).problems();
    complain(problems);
    return problems.isEmpty() ? 0 : FAILED;
  }

  private int serve() throws EngineException, LinuxException, InterruptedException {
    ProcessAttributes.name("engine");
    // Before the start: an engine that is told to stop in the middle of it leaves nothing armed.
    Signals.on(Signals.Name.INT, () -> events.add(new Event.Stop("SIGINT")));
    Signals.on(Signals.Name.TERM, () -> events.add(new Event.Stop("SIGTERM")));
    Signals.on(Signals.Name.HUP, () -> events.add(new Event.Reload()));
    Service service = Service.start(config, reason -> events.add(new Event.Failed(reason)));
    String status = status();
    Log.info(status);
    manager.ready(status);
    return react(service);
  }

  private String status() {
    return config.threads()
        + " threads serve "
        + config.device()
        + ", listening on "
        + config.proxy().address()
        + " for "
        + config.proxy().peer()
        + ", run directory "
        + config.proxy().runDirectory();
  }

  /** Until the service has stopped; the exit code. */
  private int react(Service service) throws InterruptedException {
    while (true) {
      switch (events.take()) {
        case Event.Reload() -> reload(service);
        case Event.Stop(String signal) -> {
          Log.info(signal + ": stopping");
          return stop(service, 0);
        }
        case Event.Failed(String reason) -> {
          Log.error(reason);
          return stop(service, FAILED);
        }
      }
    }
  }

  private int stop(Service service, int code) throws InterruptedException {
    manager.stopping();
    boolean all = service.stop();
    Log.info("stopped");
    if (!all) {
      ProcessAttributes.exitNow(code);
    }
    return code;
  }

  private void reload(Service service) {
    manager.reloading();
    try {
      List<String> changes = service.reload();
      changes.forEach(Log::info);
      long added = changes.stream().filter(change -> change.startsWith("+")).count();
      Log.info(
          "whitelist read again: " + added + " added, " + (changes.size() - added) + " removed");
    } catch (EngineException e) {
      e.lines().forEach(line -> Log.error("the whitelist stays as it is: " + line));
    } catch (IOException e) {
      Log.error("the kernel module follows the new whitelist only in part: " + e.getMessage());
    }
    manager.ready(status());
  }
}
