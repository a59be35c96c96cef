package qtfs.udsproxy;

import java.net.InetSocketAddress;
import java.nio.file.Path;

/**
 * What a proxy is told at its start.
 *
 * @param threads event loops, 1 to {@link #MAX_THREADS}
 * @param address where the peer's proxy connects to, resolved
 * @param peer the other proxy, resolved; the only address that may connect
 * @param runDirectory of the sockets for local applications
 * @param whitelist file of what the peer may reach here; missing means nothing
 * @param anySocket whether the peer reaches sockets that are not listed
 * @param anyFile whether it reaches files that are not listed
 * @param deadlines for others to act
 */
public record ProxyConfig(
    int threads,
    InetSocketAddress address,
    InetSocketAddress peer,
    Path runDirectory,
    Path whitelist,
    boolean anySocket,
    boolean anyFile,
    Deadlines deadlines) {
  public static final int MAX_THREADS = 64;

  /** The deployed daemon refuses privileged ports. */
  public static final int MIN_PORT = 1024;

  public static final int MAX_PORT = 65535;
  public static final Path DEFAULT_RUN_DIRECTORY = Path.of("/var/run/qtfs");
  public static final Path DEFAULT_WHITELIST = Path.of("/etc/qtfs/whitelist");
}
