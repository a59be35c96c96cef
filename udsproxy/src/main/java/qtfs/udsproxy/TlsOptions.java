package qtfs.udsproxy;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** The part of a command line that is about TLS: three files, all or none, and the peer's names. */
final class TlsOptions {
  private static final String CERTIFICATE = "--tls-cert";
  private static final String KEY = "--tls-key";
  private static final String AUTHORITY = "--tls-ca";
  private static final String PEER = "--tls-peer";
  private static final List<String> FILES = List.of(CERTIFICATE, KEY, AUTHORITY);

  private TlsOptions() {}

  /** Lets a command take them. */
  static void addTo(CommandSpec spec) {
    spec.addOption(
        ProxyOptions.path(CERTIFICATE, "FILE", "TLS on the link: this host's certificate, PEM"));
    spec.addOption(ProxyOptions.path(KEY, "FILE", "its private key, PKCS #8 in PEM, mode 0600"));
    spec.addOption(ProxyOptions.path(AUTHORITY, "FILE", "who must have signed the peer's, PEM"));
    spec.addOption(
        OptionSpec.builder(PEER)
            .type(List.class)
            .auxiliaryTypes(String.class)
            .arity("1")
            .paramLabel("NAME")
            .description(
                "a name or address that the peer's certificate may have (default <peeraddr>)")
            .build());
  }

  /**
   * What the command line says; empty where nothing is said of TLS.
   *
   * @param peer the peer's end
   */
  static Optional<TlsConfig> read(ParseResult parsed, Endpoint peer) throws StartException {
    List<String> missing = FILES.stream().filter(f -> !parsed.hasMatchedOption(f)).toList();
    if (missing.size() == FILES.size() && !parsed.hasMatchedOption(PEER)) {
      return Optional.empty();
    }
    if (!missing.isEmpty()) {
      throw new StartException("TLS needs " + String.join(" and ", missing) + " too");
    }
    return switch (peer) {
      case Endpoint.Vsock _ ->
          throw new StartException("TLS is for IP addresses: vsock does not leave the machine");
      case Endpoint.Tcp tcp -> Optional.of(read(parsed, tcp.address().getHostString()));
    };
  }

  private static TlsConfig read(ParseResult parsed, String peerAddress) {
    return new TlsConfig(
        file(parsed, CERTIFICATE),
        file(parsed, KEY),
        file(parsed, AUTHORITY),
        parsed.matchedOptionValue(PEER, List.of(peerAddress)));
  }

  private static Path file(ParseResult parsed, String option) {
    return Path.of(parsed.matchedOptionValue(option, ""));
  }
}
