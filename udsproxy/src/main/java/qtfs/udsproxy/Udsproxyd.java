package qtfs.udsproxy;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import qtfs.linux.LinuxException;
import qtfs.linux.Log;
import qtfs.linux.ProcessAttributes;

/** The program {@code udsproxyd}: reads its arguments, runs a {@link ProxyDaemon} until SIGTERM. */
public final class Udsproxyd {
  /** The deployed daemon's exit code for whatever keeps it from starting. */
  private static final int CANNOT_START = 255;

  private static final int UMASK = 0077;
  private static final ProxyOptions OPTIONS = new ProxyOptions("threads", 0);

  private Udsproxyd() {}

  /** Runs the daemon; returns only by ending the process. */
  public static void main(String[] args) throws InterruptedException {
    if (args.length > 0 && args[0].equals("ctl")) {
      System.exit(new Ctl(System.out, System.err).run(List.of(args).subList(1, args.length)));
    }
    CommandLine commandLine = new CommandLine(spec());
    ProxyDaemon daemon;
    try {
      ParseResult parsed = commandLine.parseArgs(args);
      if (CommandLine.printHelpIfRequested(parsed)) {
        System.exit(0);
      }
      ProxyConfig config = OPTIONS.read(parsed);
      ProcessAttributes.name(ProxyDaemon.THREAD_NAME);
      ProcessAttributes.umask(UMASK);
      daemon = ProxyDaemon.start(config);
      Log.info(
          "listening on "
              + config.address()
              + " for "
              + config.peer()
              + ", run directory "
              + config.runDirectory());
    } catch (ParameterException e) {
      System.err.println("udsproxyd: " + e.getMessage());
      commandLine.usage(System.err);
      System.exit(CANNOT_START);
      return;
    } catch (StartException | LinuxException e) {
      System.err.println("udsproxyd: " + e.getMessage());
      System.exit(CANNOT_START);
      return;
    }
    runUntilSignal(daemon);
  }

  private static void runUntilSignal(ProxyDaemon daemon) throws InterruptedException {
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  daemon.stop();
                  Log.info("stopped");
                  if (!Boolean.getBoolean("qtfs.training")) {
                    // Ended as asked is success, not 128 + 15.
                    Runtime.getRuntime().halt(0);
                  }
                },
                "stop"));
    new CountDownLatch(1).await();
  }

  /** The options, without annotations: reading those costs 80 ms of every start. */
  private static CommandSpec spec() {
    CommandSpec spec = CommandSpec.create().name("udsproxyd").mixinStandardHelpOptions(true);
    spec.version("udsproxyd " + version());
    spec.usageMessage()
        .description(
            "Connects unix sockets between this host and a peer.",
            "Example, on the host 10.0.0.1 whose peer is 10.0.0.2:",
            "  udsproxyd 1 10.0.0.1 12121 10.0.0.2 12121",
            "udsproxyd ctl --help tells how to look inside one that runs.");
    OPTIONS.addTo(spec);
    return spec;
  }

  static String version() {
    String version = Udsproxyd.class.getPackage().getImplementationVersion();
    return version == null ? "(not installed)" : version;
  }
}
