package qtfs.udsproxy;

import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/**
 * The part of a command line that is about the proxy, for each program that has one inside: {@code
 * <threads> <addr> <port> <peeraddr> <peerport>} and options. Without annotations, whose reading
 * would cost 80 ms of every start.
 *
 * <p>What it reads becomes a {@link ProxyConfig} that cannot be wrong, or one line that says why.
 */
public final class ProxyOptions {
  private static final List<String> ADDRESSES = List.of("addr", "port", "peeraddr", "peerport");
  private static final List<String> MEANINGS =
      List.of(
          "this host's IP address, name or vsock CID (-1: any)",
          "this host's port, 1024 to 65535",
          "the peer's IP address, name or vsock CID",
          "the peer's port");

  private static final String EXPOSE = "--expose";
  private static final int MAX_CLOSE_TIMEOUT = 86_400;

  private final String threadsName;
  private final int first;

  /**
   * Options of one program.
   *
   * @param threadsName of the first of the five parameters
   * @param first where that parameter stands, from 0
   */
  public ProxyOptions(String threadsName, int first) {
    this.threadsName = threadsName;
    this.first = first;
  }

  /** Lets a command take them. */
  public void addTo(CommandSpec spec) {
    spec.addOption(
        path("--run-dir", "DIR", "where local applications ask (default /var/run/qtfs)"));
    spec.addOption(
        path("--whitelist", "FILE", "what the peer may reach (default /etc/qtfs/whitelist)"));
    spec.addOption(flag("--allow-any-socket", "let the peer reach every unix socket"));
    spec.addOption(flag("--allow-any-file", "let the peer open every regular file and directory"));
    spec.addOption(
        path("--dialect", "auto|v1", "v1: speak as the C daemon does, also with one of ours"));
    spec.addOption(
        repeated(
            EXPOSE,
            "SPEC",
            "PEERPATH[=LOCALPATH][,type=stream][,mode=0660][,owner=USER][,group=GROUP]: a socket"
                + " of this host that leads to one of the peer's; may be there many times"));
    LimitOptions.addTo(spec);
    MetricsOption.addTo(spec);
    spec.addOption(flag("--no-watch", "read the whitelist again on SIGHUP only, not on a change"));
    spec.addOption(
        OptionSpec.builder("--close-timeout")
            .type(String.class)
            .paramLabel("SECONDS")
            .description("how long sessions may go on after SIGTERM (default 0)")
            .build());
    spec.addOption(flag("--check", "say what would keep it from starting, and do not start"));
    LogOptions.addTo(spec);
    TlsOptions.addTo(spec);
    spec.addPositional(
        positional(first, threadsName, "event loops, 1 to " + ProxyConfig.MAX_THREADS));
    for (int i = 0; i < ADDRESSES.size(); i++) {
      spec.addPositional(positional(first + 1 + i, ADDRESSES.get(i), MEANINGS.get(i)));
    }
  }

  /** A required parameter. */
  public static PositionalParamSpec positional(int index, String name, String description) {
    return PositionalParamSpec.builder()
        .index(String.valueOf(index))
        .required(true)
        .type(String.class)
        .paramLabel("<" + name + ">")
        .description(description)
        .build();
  }

  /** An option that names a file or directory. */
  public static OptionSpec path(String name, String label, String description) {
    return OptionSpec.builder(name)
        .type(String.class)
        .paramLabel(label)
        .description(description)
        .build();
  }

  /** An option that may be there many times. */
  static OptionSpec repeated(String name, String label, String description) {
    return OptionSpec.builder(name)
        .type(List.class)
        .auxiliaryTypes(String.class)
        .arity("1")
        .paramLabel(label)
        .description(description)
        .build();
  }

  /** An option that is there or not. */
  public static OptionSpec flag(String name, String description) {
    return OptionSpec.builder(name).type(boolean.class).description(description).build();
  }

  /** What the command line says, and the environment where it does not. */
  public ProxyConfig read(ParseResult parsed) throws StartException {
    return ends(parsed)
        .threads(number(parsed, first, threadsName, 1, ProxyConfig.MAX_THREADS))
        .runDirectory(optionalPath(parsed, "--run-dir", defaultRunDirectory()))
        .whitelist(optionalPath(parsed, "--whitelist", ProxyConfig.DEFAULT_WHITELIST))
        .anySocket(parsed.hasMatchedOption("--allow-any-socket"))
        .anyFile(parsed.hasMatchedOption("--allow-any-file"))
        .dialect(dialect(parsed))
        .exposures(exposures(parsed))
        .deadlines(LimitOptions.deadlines(parsed))
        .limits(LimitOptions.limits(parsed))
        .metrics(MetricsOption.read(parsed))
        .watched(!parsed.hasMatchedOption("--no-watch"))
        .closeTimeout(Duration.ofSeconds(closeTimeout(parsed)))
        .build();
  }

  private static Dialect dialect(ParseResult parsed) throws StartException {
    String name = parsed.matchedOptionValue("--dialect", "auto");
    return switch (name) {
      case "auto" -> Dialect.EXTENDED;
      case "v1" -> Dialect.V1;
      default -> throw new StartException("--dialect is \"" + name + "\", must be auto or v1");
    };
  }

  /** Where a proxy runs that is not told otherwise. */
  static Path defaultRunDirectory() {
    String environment = System.getenv("QTFS_RUN_DIR");
    return environment == null ? ProxyConfig.DEFAULT_RUN_DIRECTORY : Path.of(environment);
  }

  private static List<Exposure> exposures(ParseResult parsed) throws StartException {
    List<Exposure> exposures = new ArrayList<>();
    for (String spec : parsed.matchedOptionValue(EXPOSE, List.<String>of())) {
      try {
        exposures.add(Exposure.parse(spec));
      } catch (Exposure.SpecException e) {
        throw new StartException(e);
      }
    }
    return exposures;
  }

  /** Whether nothing is to be started. */
  public static boolean onlyCheck(ParseResult parsed) {
    return parsed.hasMatchedOption("--check");
  }

  private static int closeTimeout(ParseResult parsed) throws StartException {
    String seconds = parsed.matchedOptionValue("--close-timeout", "0");
    return number("--close-timeout", seconds, 0, MAX_CLOSE_TIMEOUT);
  }

  /** The value of an option made by {@link #path}. */
  public static Path optionalPath(ParseResult parsed, String option, Path otherwise) {
    return Path.of(parsed.matchedOptionValue(option, otherwise.toString()));
  }

  /** A parameter that is a number. */
  public static int number(ParseResult parsed, int index, String name, int least, int most)
      throws StartException {
    return number("<" + name + ">", parsed.matchedPositionalValue(index, ""), least, most);
  }

  private static int number(String what, String text, int least, int most) throws StartException {
    try {
      int number = Integer.parseInt(text);
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      // told below, with the range
    }
    throw new StartException(
        what + " is \"" + text + "\", must be a number from " + least + " to " + most);
  }

  /** Both ends, over one transport, and what secures it. */
  private ProxyConfig.Builder ends(ParseResult parsed) throws StartException {
    Endpoint own = end(parsed, 0);
    Endpoint peer = end(parsed, 2);
    if (!own.getClass().equals(peer.getClass())) {
      throw new StartException(
          parameter(parsed, 0)
              + " and "
              + parameter(parsed, 2)
              + ": give two vsock CIDs, or two IP addresses or host names");
    }
    if (peer instanceof Endpoint.Vsock vsock && vsock.cid() == Endpoint.Vsock.ANY) {
      throw new StartException(parameter(parsed, 2) + ", which is any CID: the peer has one");
    }
    ProxyConfig.Builder config = ProxyConfig.between(own, peer);
    Optional<TlsConfig> tls = TlsOptions.read(parsed, peer);
    if (tls.isPresent() && dialect(parsed) == Dialect.V1) {
      throw new StartException(
          "--dialect v1 and --tls-cert: v1 has no way to end a stream over TLS; leave one of them out");
    }
    tls.ifPresent(config::tls);
    return config;
  }

  /** The address and the port behind it, at their places in {@link #ADDRESSES}. */
  private Endpoint end(ParseResult parsed, int place) throws StartException {
    int port =
        number(
            parsed,
            first + 1 + place + 1,
            ADDRESSES.get(place + 1),
            ProxyConfig.MIN_PORT,
            ProxyConfig.MAX_PORT);
    try {
      return Endpoint.of(parsed.matchedPositionalValue(first + 1 + place, ""), port);
    } catch (UnknownHostException e) {
      throw new StartException(
          parameter(parsed, place)
              + ", which is neither an address nor a known host nor a vsock CID");
    }
  }

  private String parameter(ParseResult parsed, int place) {
    String value = parsed.matchedPositionalValue(first + 1 + place, "");
    return "<" + ADDRESSES.get(place) + "> is \"" + value + "\"";
  }
}
