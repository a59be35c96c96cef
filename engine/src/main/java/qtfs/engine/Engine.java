package qtfs.engine;

import java.io.IOException;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import qtfs.linux.Daemon;
import qtfs.linux.DaemonRunner;
import qtfs.linux.LinuxException;
import qtfs.linux.Log;
import qtfs.linux.Notification;
import qtfs.linux.ProcessAttributes;
import qtfs.linux.Program;
import qtfs.udsproxy.InheritedSockets;
import qtfs.udsproxy.LogOptions;
import qtfs.udsproxy.ProxyOptions;
import qtfs.udsproxy.StartException;

/** The program {@code engine}: reads its arguments, runs a {@link Service} until SIGTERM. */
public final class Engine implements Daemon {
  private static final String NAME = "engine";

  /** The deployed engine's exit code for whatever keeps it from serving. */
  private static final int FAILED = 255;

  private final EngineConfig config;
  private final Service service;
  private boolean allStopped;

  private Engine(EngineConfig config, Service service) {
    this.config = config;
    this.service = service;
  }

  /** Runs the engine; returns only by ending the process. */
  public static void main(String[] args) {
    Program.main(() -> run(args), FAILED);
  }

  /** All that the program understands, for manual pages and completions. */
  public static CommandSpec commandSpec() {
    return EngineOptions.spec();
  }

  private static int run(String[] args) throws InterruptedException {
    LogOptions.applyEarly(args);
    CommandLine commandLine = new CommandLine(EngineOptions.spec());
    try {
      ParseResult parsed = commandLine.parseArgs(args);
      if (CommandLine.printHelpIfRequested(parsed)) {
        return 0;
      }
      LogOptions.apply(parsed);
      EngineConfig config = EngineOptions.config(parsed);
      return ProxyOptions.onlyCheck(parsed) ? check(config) : serve(config);
    } catch (ParameterException e) {
      Log.complain(NAME, String.valueOf(e.getMessage()));
      if (Log.format() != Log.Format.JSON) {
        commandLine.usage(System.err);
      }
    } catch (EngineException | StartException | LinuxException e) {
      Log.complain(NAME, String.valueOf(e.getMessage()));
    }
    return FAILED;
  }

  private static int check(EngineConfig config) {
    List<String> problems = Check.problems(config);
    problems.forEach(problem -> Log.complain(NAME, problem));
    return problems.isEmpty() ? 0 : FAILED;
  }

  /** Until it is told to stop, or cannot go on; the exit code. */
  private static int serve(EngineConfig config)
      throws EngineException, StartException, LinuxException, InterruptedException {
    ProcessAttributes.name(NAME);
    InheritedSockets inherited = InheritedSockets.fromEnvironment();
    DaemonRunner runner =
        new DaemonRunner(
            Notification.fromEnvironment(),
            config.proxy().closeTimeout(),
            config.proxy().watchedFiles());
    // Before the start: an engine that is told to stop in the middle of it leaves nothing armed.
    runner.catchSignals();
    Service service = Service.start(config, inherited, runner::fail);
    service.endWhenDrained(() -> runner.drain("udsproxyd ctl drain"));
    Engine engine = new Engine(config, service);
    int code = runner.run(engine) && !service.hasLeftArmed() ? 0 : FAILED;
    if (!engine.allStopped) {
      ProcessAttributes.exitNow(code);
    }
    return code;
  }

  @Override
  public String status() {
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

  @Override
  public void reload() {
    try {
      List<String> changes = service.reload();
      changes.forEach(Log::info);
      long added = changes.stream().filter(change -> change.startsWith("+")).count();
      Log.info(
          "whitelist read again: " + added + " added, " + (changes.size() - added) + " removed");
    } catch (EngineException e) {
      e.lines().forEach(line -> Log.error("the whitelist stays as it is: " + line));
    } catch (IOException e) {
      Log.error(
          "the kernel module follows the new whitelist only in part: "
              + e.getMessage()
              + "; SIGHUP tries again");
    }
  }

  @Override
  public boolean isAlive() {
    return service.isAlive();
  }

  @Override
  public void drain() {
    service.drain();
  }

  @Override
  public int workLeft() {
    return service.workLeft();
  }

  @Override
  public void stop() throws InterruptedException {
    allStopped = service.stop();
  }
}
