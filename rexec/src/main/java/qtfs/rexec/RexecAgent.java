package qtfs.rexec;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import qtfs.linux.DaemonRunner;
import qtfs.linux.Fd;
import qtfs.linux.ListenFds;
import qtfs.linux.Log;
import qtfs.linux.Notification;
import qtfs.linux.ProcessAttributes;
import qtfs.linux.RunDirectory;
import qtfs.linux.Signals;
import qtfs.linux.SocketFamily;

/**
 * {@code rexec_agent}: makes the calls of rexec's launcher, so that none of them has to start a
 * JVM. Ends with {@value ExitCode#CONFIGURATION} if it cannot start. After SIGTERM it takes no new
 * calls, and ends with 0 when the last has ended; a second one, or SIGINT, ends all at once.
 */
public final class RexecAgent {
  private static final String NAME = "rexec_agent";
  private static final int OPEN_FILES = 65536;
  private static final int MOST_CALLS = 512;

  /** What a socket unit calls the socket, {@code FileDescriptorName=}. */
  private static final String SOCKET_NAME = "agent";

  private RexecAgent() {}

  public static void main(String[] args) throws InterruptedException {
    int code = run(args);
    if (Boolean.getBoolean("qtfs.training")) {
      // The build makes the AOT cache, which a halted JVM does not write.
      System.exit(code);
    }
    Runtime.getRuntime().halt(code);
  }

  private static int run(String[] args) throws InterruptedException {
    CommandLine commandLine = new CommandLine(commandSpec());
    try {
      CommandLine.ParseResult result = commandLine.parseArgs(args);
      PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
      commandLine.setOut(out);
      Integer answered = CommandLine.executeHelpRequest(result);
      if (answered != null) {
        return answered;
      }
      Path runDir = Commands.runDir(result);
      int most = result.matchedOptionValue("--max-calls", MOST_CALLS);
      if (most < 1) {
        throw new IOException("--max-calls " + most + " must be at least 1");
      }
      RunDirectory.requireUsable(runDir);
      if (result.hasMatchedOption("--check")) {
        out.println("would listen at " + runDir.resolve(Agent.SOCKET) + ": nothing is wrong");
        return 0;
      }
      Commands.useLogFormat(result);
      return serve(runDir, most);
    } catch (CommandLine.ParameterException e) {
      return complain(e.getMessage() + "; try " + NAME + " --help");
    } catch (IOException e) {
      return complain(String.valueOf(e.getMessage()));
    }
  }

  private static int complain(String text) {
    Log.complain(NAME, text);
    return ExitCode.CONFIGURATION;
  }

  /** All that the program understands, for manual pages and completions. */
  public static CommandSpec commandSpec() {
    CommandSpec spec = Commands.standard(NAME);
    spec.parser().caseInsensitiveEnumValuesAllowed(true);
    spec.usageMessage()
        .header(
            "Makes the calls of rexec without a JVM for each; for callers of its own user.",
            "",
            "  rexec_agent &",
            "  rexec uname -n",
            "")
        .synopsisHeading("usage: ");
    return spec.addOption(Commands.runDir())
        .addOption(
            OptionSpec.builder("--max-calls")
                .paramLabel("N")
                .type(int.class)
                .description(
                    "So many at once; further ones start a JVM each. Default: " + MOST_CALLS)
                .build())
        .addOption(Commands.logFormat())
        .addOption(
            OptionSpec.builder("--check")
                .description("Says what would keep it from starting, and exits.")
                .build());
  }

  private static int serve(Path runDir, int most) throws IOException, InterruptedException {
    DaemonRunner runner =
        new DaemonRunner(Notification.fromEnvironment(), Duration.ZERO, List.of());
    ProcessAttributes.name(NAME);
    int ignored = ProcessAttributes.umask(0077);
    long openFiles = ProcessAttributes.raiseOpenFiles(OPEN_FILES);
    Log.debug(openFiles + " files may be open");
    try (ListenFds inherited = ListenFds.fromEnvironment()) {
      Optional<Fd> socket = inherited.takeStream(SOCKET_NAME, SocketFamily.UNIX);
      inherited.requireNoMore(List.of(SOCKET_NAME));
      catchSignals(runner);
      Agent agent = Agent.start(runDir, most, socket);
      return runner.run(agent) ? 0 : ExitCode.CONFIGURATION;
    }
  }

  /** A program that runs for weeks does not end because its agent is started again. */
  private static void catchSignals(DaemonRunner runner) {
    AtomicBoolean told = new AtomicBoolean();
    runner.catchSignals();
    Signals.on(
        Signals.Name.TERM,
        () -> {
          if (told.getAndSet(true)) {
            runner.stop("second SIGTERM");
          } else {
            runner.drain("SIGTERM");
          }
        });
  }
}
