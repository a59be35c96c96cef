package qtfs.udsproxy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** The option that shows metrics on an address, not only on the unix socket. */
final class MetricsOption {
  private static final String NAME = "--metrics";
  private static final Pattern ADDRESS = Pattern.compile("(\\[[^]]+]|[^:]+):([0-9]{1,5})");

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
    String given = NAME + " is \"" + text + "\"";
    Matcher parts = ADDRESS.matcher(text);
    if (!parts.matches() || Integer.parseInt(parts.group(2)) > ProxyConfig.MAX_PORT) {
      throw new StartException(given + ", must be ADDR:PORT, such as 127.0.0.1:9112 or [::1]:9112");
    }
    try {
      return new InetSocketAddress(
          InetAddress.getByName(parts.group(1)), Integer.parseInt(parts.group(2)));
    } catch (UnknownHostException e) {
      throw new StartException(given + ", whose address is neither one nor a known host");
    }
  }
}
