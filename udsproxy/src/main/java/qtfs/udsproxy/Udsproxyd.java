package qtfs.udsproxy;

import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import qtfs.linux.DaemonRunner;
import qtfs.linux.LinuxException;
import qtfs.linux.Log;
import qtfs.linux.Notification;
import qtfs.linux.ProcessAttributes;
import qtfs.linux.Program;

/** The program {@code udsproxyd}: reads its arguments, runs a {@link ProxyDaemon} until SIGTERM. */
public final class Udsproxyd {
  private static final String NAME = "udsproxyd";

  /** The deployed daemon's exit code for whatever keeps it from starting. */
  private static final int CANNOT_START = 255;

  private static final int UMASK = 0077;
  private static final ProxyOptions OPTIONS = new ProxyOptions("threads", 0);

  private Udsproxyd() {}

  /** Runs the daemon; returns only by ending the process. */
  public static void main(String[] args) {
    Program.main(() -> run(args), CANNOT_START);
  }

  private static int run(String[] args) throws InterruptedException {
    if (args.length > 0 && args[0].equals("ctl")) {
      return new Ctl(System.out, System.err).run(List.of(args).subList(1, args.length));
    }
    LogOptions.applyEarly(args);
    CommandLine commandLine = new CommandLine(spec());
    try {
      ParseResult parsed = commandLine.parseArgs(args);
      if (CommandLine.printHelpIfRequested(parsed)) {
        return 0;
      }
      LogOptions.apply(parsed);
      ProxyConfig config = OPTIONS.read(parsed);
      return ProxyOptions.onlyCheck(parsed) ? check(config) : serve(config);
    } catch (ParameterException e) {
      Log.complain(NAME, String.valueOf(e.getMessage()));
      if (Log.format() != Log.Format.JSON) {
        commandLine.usage(System.err);
      }
    } catch (StartException | LinuxException e) {
      Log.complain(NAME, String.valueOf(e.getMessage()));
    }
    return CANNOT_START;
  }

  private static int check(ProxyConfig config) {
    List<String> problems = new ProxyCheck().whitelist(config).proxy(config).problems();
    problems.forEach(problem -> Log.complain(NAME, problem));
    return problems.isEmpty() ? 0 : CANNOT_START;
  }

  /** Until it is told to stop; the exit code. */
  private static int serve(ProxyConfig config)
      throws StartException, LinuxException, InterruptedException {
    ProcessAttributes.name(ProxyDaemon.THREAD_NAME);
    ProcessAttributes.umask(UMASK);
    InheritedSockets inherited = InheritedSockets.fromEnvironment();
    DaemonRunner runner =
        new DaemonRunner(
            Notification.fromEnvironment(), config.closeTimeout(), config.watchedFiles());
    runner.catchSignals();
    ProxyDaemon daemon = ProxyDaemon.start(config, inherited);
    daemon.endWhenDrained(() -> runner.drain("udsproxyd ctl drain"));
    return runner.run(new ProxyService(config, daemon)) ? 0 : CANNOT_START;
  }

  /** The options, without annotations: reading those costs 80 ms of every start. */
  private static CommandSpec spec() {
    CommandSpec spec = CommandSpec.create().name(NAME).mixinStandardHelpOptions(true);
    spec.version("udsproxyd " + version());
    spec.usageMessage()
        .header(
            "Connects unix sockets between this host and a peer.",
            "",
            "On the host 10.0.0.1 whose peer is 10.0.0.2:",
            "  udsproxyd 1 10.0.0.1 12121 10.0.0.2 12121",
            "In the virtual machine of CID 10, whose peer is its host:",
            "  udsproxyd 1 10 12121 2 12121",
            "Who is connected through one that runs (udsproxyd ctl --help has more):",
            "  udsproxyd ctl sessions",
            "");
    OPTIONS.addTo(spec);
    return spec;
  }

  /** All that the program understands, for manual pages and completions. */
  public static CommandSpec commandSpec() {
    return spec().addSubcommand("ctl", Ctl.spec());
  }

  static String version() {
    String version = Udsproxyd.class.getPackage().getImplementationVersion();
    return version == null ? "(not installed)" : version;
  }
}
