package qtfs.udsproxy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
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

  private Udsproxyd() {}

  /** Runs the daemon; returns only by ending the process. */
  public static void main(String[] args) throws InterruptedException {
    CommandLine commandLine = new CommandLine(spec());
    ProxyDaemon daemon;
    try {
      ParseResult parsed = commandLine.parseArgs(args);
      if (CommandLine.printHelpIfRequested(parsed)) {
        System.exit(0);
      }
      ProxyConfig config = config(parsed);
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
            "  udsproxyd 1 10.0.0.1 12121 10.0.0.2 12121");
    spec.addOption(
        path("--run-dir", "DIR", "where local applications ask (default /var/run/qtfs)"));
    spec.addOption(
        path("--whitelist", "FILE", "what the peer may reach (default /etc/qtfs/whitelist)"));
    spec.addOption(flag("--allow-any-socket", "let the peer reach every unix socket"));
    spec.addOption(flag("--allow-any-file", "let the peer open every regular file"));
    List<String> names = List.of("threads", "addr", "port", "peeraddr", "peerport");
    List<String> meanings =
        List.of(
            "event loops, 1 to " + ProxyConfig.MAX_THREADS,
            "this host's address",
            "this host's port, 1024 to 65535",
            "the peer's address",
            "the peer's port");
    for (int i = 0; i < names.size(); i++) {
      spec.addPositional(
          PositionalParamSpec.builder()
              .index(String.valueOf(i))
              .required(true)
              .type(String.class)
              .paramLabel("<" + names.get(i) + ">")
              .description(meanings.get(i))
              .build());
    }
    return spec;
  }

  private static OptionSpec path(String name, String label, String description) {
    return OptionSpec.builder(name)
        .type(String.class)
        .paramLabel(label)
        .description(description)
        .build();
  }

  private static OptionSpec flag(String name, String description) {
    return OptionSpec.builder(name).type(boolean.class).description(description).build();
  }

  private static String version() {
    String version = Udsproxyd.class.getPackage().getImplementationVersion();
    return version == null ? "(not installed)" : version;
  }

  private static ProxyConfig config(ParseResult parsed) throws StartException {
    String environment = System.getenv("QTFS_RUN_DIR");
    Path defaultRun =
        environment == null ? ProxyConfig.DEFAULT_RUN_DIRECTORY : Path.of(environment);
    return new ProxyConfig(
        number(parsed, 0, "threads", 1, ProxyConfig.MAX_THREADS),
        address(parsed, 1, 2, "addr", "port"),
        address(parsed, 3, 4, "peeraddr", "peerport"),
        optionalPath(parsed, "--run-dir", defaultRun),
        optionalPath(parsed, "--whitelist", ProxyConfig.DEFAULT_WHITELIST),
        parsed.hasMatchedOption("--allow-any-socket"),
        parsed.hasMatchedOption("--allow-any-file"),
        Deadlines.DEFAULT);
  }

  private static Path optionalPath(ParseResult parsed, String option, Path otherwise) {
    return Path.of(parsed.matchedOptionValue(option, otherwise.toString()));
  }

  private static int number(ParseResult parsed, int index, String name, int least, int most)
      throws StartException {
    String text = parsed.matchedPositionalValue(index, "");
    try {
      int number = Integer.parseInt(text);
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      // told below, with the range
    }
    throw new StartException(
        "<" + name + "> is \"" + text + "\", must be a number from " + least + " to " + most);
  }

  private static InetSocketAddress address(
      ParseResult parsed, int host, int port, String hostName, String portName)
      throws StartException {
    int number = number(parsed, port, portName, ProxyConfig.MIN_PORT, ProxyConfig.MAX_PORT);
    String name = parsed.matchedPositionalValue(host, "");
    try {
      return new InetSocketAddress(InetAddress.getByName(name), number);
    } catch (UnknownHostException e) {
      throw new StartException(
          "<" + hostName + "> is \"" + name + "\", which is neither an address nor a known host");
    }
  }
}
