package qtfs.udsproxy.metrics;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** An address to show metrics at, as it is written: {@code 127.0.0.1:9112}, {@code [::1]:9112}. */
public final class MetricsAddress {
  private static final Pattern ADDRESS = Pattern.compile("(\\[[^]]+]|[^:]+):([0-9]{1,5})");
  private static final int MAX_PORT = 65535;

  private MetricsAddress() {}

  /**
   * Reads one; a name is looked up.
   *
   * @param option that has it, for the message
   * @throws IOException that says what is wrong with it
   */
  public static InetSocketAddress parse(String option, String text) throws IOException {
    String given = option + " is \"" + text + "\"";
    Matcher parts = ADDRESS.matcher(text);
    if (!parts.matches() || Integer.parseInt(parts.group(2)) > MAX_PORT) {
      throw new IOException(given + ", must be ADDR:PORT, such as 127.0.0.1:9112 or [::1]:9112");
    }
    try {
      return new InetSocketAddress(
          InetAddress.getByName(parts.group(1)), Integer.parseInt(parts.group(2)));
    } catch (UnknownHostException e) {
      throw new IOException(given + ", whose address is neither one nor a known host", e);
    }
  }
}
