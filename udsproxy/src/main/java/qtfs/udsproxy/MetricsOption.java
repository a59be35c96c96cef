package qtfs.udsproxy;

import java.io.IOException;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;
import qtfs.udsproxy.metrics.MetricsAddress;

/** The option that shows metrics on an address, not only on the unix socket. */
final class MetricsOption {
  private static final String NAME = "--metrics";

  private MetricsOption() {}

  static void addTo(CommandSpec spec) {
    spec.addOption(
        ProxyOptions.path(NAME, "ADDR:PORT", "show metrics there too, not only on metrics.sock"));
  }

  /** The address, null where there is to be none. */
  static @Nullable InetSocketAddress read(ParseResult parsed) throws StartException {
    return parsed.hasMatchedOption(NAME) ? address(parsed.matchedOptionValue(NAME, "")) : null;
  }

  private static InetSocketAddress address(String text) throws StartException {
    try {
      return MetricsAddress.parse(NAME, text);
    } catch (IOException e) {
      throw new StartException(String.valueOf(e.getMessage()));
    }
  }
}
