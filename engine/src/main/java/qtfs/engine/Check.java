package qtfs.engine;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;

/**
 * What would keep an engine from starting, told all at once without starting one: neither the
 * kernel module nor an engine that runs notices. What passes by itself, a port or a lock in use, is
 * left out.
 */
final class Check {
  /** A thing to be done that may turn out to be impossible. */
  private interface Step {
    void run() throws EngineException;
  }

  private final EngineConfig config;
  private final List<String> problems = new ArrayList<>();

  Check(EngineConfig config) {
    this.config = config;
  }

  /** One line each; none if it would start. */
  List<String> problems() {
    expect(() -> Service.requireMount(config, Service.load(config.whitelist())));
    expect(() -> ServerModule.open(config.device()).close());
    expect(() -> requireOwn(config.proxy().address().getAddress()));
    return problems;
  }

  private static void requireOwn(InetAddress address) throws EngineException {
    try (ServerSocket socket = new ServerSocket()) {
      socket.bind(new InetSocketAddress(address, 0), 1);
    } catch (IOException e) {
      throw new EngineException(
          "cannot listen on "
              + address.getHostAddress()
              + ": "
              + e.getMessage()
              + "; give an address of this host's own");
    }
  }

  private void expect(Step step) {
    try {
      step.run();
    } catch (EngineException e) {
      problems.addAll(e.lines());
    }
  }
}
