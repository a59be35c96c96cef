package qtfs.rexec;

import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import qtfs.linux.ByteStrings;
import qtfs.linux.DaemonRunner;
import qtfs.linux.Fd;
import qtfs.linux.ListenFds;
import qtfs.linux.Log;
import qtfs.linux.Notification;
import qtfs.linux.ProcessAttributes;
import qtfs.linux.SocketFamily;
import qtfs.udsproxy.metrics.MetricsAddress;

/**
 * {@code rexec_server}: runs the programs that clients ask for and the whitelist allows. Ends with
 * {@value ExitCode#CONFIGURATION} if it cannot start, as the C program does, and with 0 on SIGTERM.
 */
public final class RexecServer {
  private static final int OPEN_FILES = 65536;
  private static final long WATCH_MILLIS = 400;

  private static final String METRICS = "--metrics";

  /** What a socket unit calls the socket, {@code FileDescriptorName=}. */
  private static final String SOCKET_NAME = "rexec";

  private RexecServer() {}

  public static void main(String[] args) throws InterruptedException {
    int code = run(args);
    if (Boolean.getBoolean("qtfs.training")) {
      // The build makes the AOT cache, which a halted JVM does not write.
      System.exit(code);
    }
    Runtime.getRuntime().halt(code);
  }

  /** Runs the server, or does what else is asked for; the exit code. */
  private static int run(String[] args) throws InterruptedException {
    CommandLine commandLine = new CommandLine(spec());
    try {
      if (args.length > 0 && args[0].equals("ctl")) {
        return Ctl.run(List.of(args).subList(1, args.length));
      }
      CommandLine.ParseResult result = commandLine.parseArgs(args);
      PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
      commandLine.setOut(out);
      Integer answered = CommandLine.executeHelpRequest(result);
      if (answered != null) {
        return answered;
      }
      PolicyFiles files =
          PolicyFiles.beside(
              result.matchedOptionValue("--whitelist", Path.of("/etc/rexec/whitelist")));
      return result.hasMatchedOption("--check") ? check(files, out) : serve(result, files);
    } catch (CommandLine.ParameterException e) {
      return complain(e.getMessage() + "; try rexec_server --help");
    } catch (PolicyFiles.BrokenException | IOException e) {
      return complain(String.valueOf(e.getMessage()));
    }
  }

  private static int check(PolicyFiles files, PrintWriter out) throws PolicyFiles.BrokenException {
    out.println(files.load().summary() + ": nothing is wrong");
    return 0;
  }

  private static int complain(String lines) {
    for (String line : lines.split("\n", -1)) {
      System.err.println("rexec_server: " + Log.escape(line));
    }
    return ExitCode.CONFIGURATION;
  }

  /** All that the program understands, for manual pages and completions. */
  public static CommandSpec commandSpec() {
    return spec().addSubcommand("ctl", Ctl.spec());
  }

  private static CommandSpec spec() {
    CommandSpec spec = Commands.standard("rexec_server");
    spec.parser().caseInsensitiveEnumValuesAllowed(true);
    spec.usageMessage()
        .header(
            "Runs the programs that rexec asks for and the whitelist allows.",
            "",
            "  rexec_server --check       whether whitelist, rules and limits are right",
            "  rexec_server",
            "  rexec_server ctl ps        what one that runs has running; also status, kill PID",
            "")
        .synopsisHeading("usage: ");
    return spec.addOption(
            OptionSpec.builder("--whitelist")
                .paramLabel("FILE")
                .type(Path.class)
                .defaultValue("/etc/rexec/whitelist")
                .description(
                    "The programs, one a line; policy.d and rexec_server.conf are beside it."
                        + " Default: ${DEFAULT-VALUE}")
                .build())
        .addOption(Commands.runDir())
        .addOption(
            OptionSpec.builder("--max-requests")
                .paramLabel("N")
                .type(int.class)
                .description("So many programs at once; more wait. Default: the configuration's")
                .build())
        .addOption(
            OptionSpec.builder(METRICS)
                .paramLabel("ADDR:PORT")
                .type(String.class)
                .description("Shows metrics there too, not only on metrics.sock.")
                .build())
        .addOption(Commands.logFormat())
        .addOption(
            OptionSpec.builder("--check")
                .description("Says what is wrong with the files, all of it, and exits.")
                .build());
  }

  private static int serve(CommandLine.ParseResult options, PolicyFiles files)
      throws PolicyFiles.BrokenException, IOException, InterruptedException {
    Path runDir = Commands.runDir(options);
    int maxRequests = options.matchedOptionValue("--max-requests", 0);
    if (options.hasMatchedOption("--max-requests") && maxRequests < 1) {
      throw new IOException("--max-requests " + maxRequests + " must be at least 1");
    }
    @Nullable String metrics = options.matchedOptionValue(METRICS, null);
    @Nullable InetSocketAddress metricsAddress =
        metrics == null ? null : MetricsAddress.parse(METRICS, metrics);
    Commands.useLogFormat(options);
    DaemonRunner runner =
        new DaemonRunner(Notification.fromEnvironment(), Duration.ZERO, files.all());
    PolicyWatch watch = new PolicyWatch(files.policies());
    CurrentPolicy policy = CurrentPolicy.load(files);
    ProcessAttributes.name("rexec_server");
    int ignored = ProcessAttributes.umask(0077);
    long openFiles = ProcessAttributes.raiseOpenFiles(OPEN_FILES);
    Log.debug(openFiles + " files may be open");
    ServerContext context =
        new ServerContext(policy, runDir, ByteStrings.split("/proc/self/environ"));
    try (ListenFds inherited = ListenFds.fromEnvironment()) {
      Optional<Fd> socket = inherited.takeStream(SOCKET_NAME, SocketFamily.UNIX);
      inherited.requireNoMore(List.of(SOCKET_NAME));
      runner.catchSignals();
      RexecDaemon daemon = RexecDaemon.start(runDir, context, maxRequests, metricsAddress, socket);
      watch(watch, runner);
      return runner.run(daemon) ? 0 : ExitCode.CONFIGURATION;
    }
  }

  private static void watch(PolicyWatch watch, DaemonRunner runner) {
    Thread thread =
        new Thread(
            () -> {
              CountDownLatch never = new CountDownLatch(1);
              try {
                while (!never.await(WATCH_MILLIS, TimeUnit.MILLISECONDS)) {
                  if (watch.changed()) {
                    runner.reload("a file in policy.d changed");
                  }
                }
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "watch");
    thread.setDaemon(true);
    thread.start();
  }
}
