package qtfs.rexec;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import qtfs.linux.ByteStrings;
import qtfs.linux.Log;
import qtfs.linux.ProcessAttributes;
import qtfs.whitelist.RexecWhitelist;
import qtfs.whitelist.WhitelistException;

/**
 * {@code rexec_server}: runs the programs that clients ask for and the whitelist allows. Ends with
 * {@value ExitCode#CONFIGURATION} if it cannot start, as the C program does, and with 0 on SIGTERM.
 */
public final class RexecServer {
  private static final int OPEN_FILES = 65536;
  private static final int DEFAULT_MAX_REQUESTS = 1024;

  private RexecServer() {}

  public static void main(String[] args) throws InterruptedException {
    int code = run(args);
    if (code >= 0) {
      Runtime.getRuntime().halt(code);
    }
    Thread.currentThread().join();
  }

  /** Starts the server; the exit code if there is none, negative if it runs. */
  private static int run(String[] args) {
    CommandLine commandLine = new CommandLine(spec());
    try {
      CommandLine.ParseResult result = commandLine.parseArgs(args);
      PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
      commandLine.setOut(out);
      Integer answered = CommandLine.executeHelpRequest(result);
      if (answered != null) {
        return answered;
      }
      start(result);
      return -1;
    } catch (CommandLine.ParameterException e) {
      return complain(e.getMessage() + "; try rexec_server --help");
    } catch (WhitelistException | IOException e) {
      return complain(String.valueOf(e.getMessage()));
    }
  }

  private static int complain(String lines) {
    for (String line : lines.split("\n", -1)) {
      System.err.println("rexec_server: " + Log.escape(line));
    }
    return ExitCode.CONFIGURATION;
  }

  private static CommandSpec spec() {
    CommandSpec spec = Commands.standard("rexec_server");
    spec.usageMessage()
        .description("Runs the programs that rexec asks for and the whitelist allows.")
        .synopsisHeading("usage: ");
    return spec.addOption(
            OptionSpec.builder("--whitelist")
                .paramLabel("FILE")
                .type(Path.class)
                .defaultValue("/etc/rexec/whitelist")
                .description("The programs, one a line. Default: ${DEFAULT-VALUE}")
                .build())
        .addOption(
            OptionSpec.builder("--run-dir")
                .paramLabel("DIR")
                .type(Path.class)
                .description("Where the socket is. Default: $REXEC_RUN_DIR, else /var/run/rexec")
                .build())
        .addOption(
            OptionSpec.builder("--max-requests")
                .paramLabel("N")
                .type(int.class)
                .defaultValue(Integer.toString(DEFAULT_MAX_REQUESTS))
                .description("So many programs at once; more wait. Default: ${DEFAULT-VALUE}")
                .build());
  }

  private static void start(CommandLine.ParseResult options)
      throws WhitelistException, IOException {
    Path whitelistFile = options.matchedOptionValue("--whitelist", Path.of("/etc/rexec/whitelist"));
    Path runDir =
        options.matchedOptionValue(
            "--run-dir", Path.of(Rexec.runDir(System.getenv("REXEC_RUN_DIR"))));
    int maxRequests = options.matchedOptionValue("--max-requests", DEFAULT_MAX_REQUESTS);
    if (maxRequests < 1) {
      throw new IOException("--max-requests " + maxRequests + " must be at least 1");
    }
    RexecWhitelist whitelist = RexecWhitelist.load(whitelistFile);
    ProcessAttributes.name("rexec_server");
    int ignored = ProcessAttributes.umask(0077);
    long files = ProcessAttributes.raiseOpenFiles(OPEN_FILES);
    ServerContext context =
        new ServerContext(
            whitelist, whitelistFile, runDir, ByteStrings.split("/proc/self/environ"));
    Server server = Server.start(runDir, context, maxRequests);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  Log.info("ending on a signal");
                  server.close();
                  if (!Boolean.getBoolean("qtfs.training")) {
                    // Ended as asked is success, not 128 + 15.
                    Runtime.getRuntime().halt(0);
                  }
                },
                "end"));
    Log.info(
        "listening at "
            + runDir
            + "/rexec_uds.sock, "
            + whitelist.size()
            + " programs in "
            + whitelistFile
            + ", "
            + files
            + " files");
  }
}
