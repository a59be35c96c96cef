package qtfs.testing;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

/** TCP ports of this machine for tests, each its own. */
public final class Ports {
  private static final int FIRST = 10_000;

  /** From here on the kernel gives them to connections, of which one might take it meanwhile. */
  private static final int FIRST_OF_CONNECTIONS = 32_768;

  /** A daemon may be about to listen there. */
  private static final Set<Integer> GIVEN = ConcurrentHashMap.newKeySet();

  private Ports() {}

  /** A port that was free a moment ago at the loopback address; none is given twice. */
  public static int free() throws IOException {
    while (true) {
      int port = ThreadLocalRandom.current().nextInt(FIRST, FIRST_OF_CONNECTIONS);
      if (!GIVEN.add(port)) {
        continue;
      }
      try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return socket.getLocalPort();
      } catch (BindException e) {
        // another one, then
      }
    }
  }

  /** Such a port, with the loopback address. */
  public static InetSocketAddress freeAddress() throws IOException {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), free());
  }
}
