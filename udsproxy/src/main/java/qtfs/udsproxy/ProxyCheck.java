package qtfs.udsproxy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import qtfs.linux.RunDirectory;
import qtfs.whitelist.QtfsWhitelist;
import qtfs.whitelist.WhitelistException;

/**
 * What would keep a proxy from starting, told all at once without starting one: a proxy that runs
 * does not notice. What passes by itself, a port or a lock in use, is left out.
 */
public final class ProxyCheck {
  /** A thing to be done that may turn out to be impossible, with the reasons as its message. */
  public interface Step {
    void run() throws Exception;
  }

  private final List<String> problems = new ArrayList<>();

  /** Notes what is wrong with the proxy's own things, but for the whitelist. */
  public ProxyCheck proxy(ProxyConfig config) {
    config.exposures().forEach(exposure -> expect(() -> Exposures.requirePlace(exposure)));
    return expect(() -> config.address().requireOwn())
        .expect(() -> RunDirectory.requireUsable(config.runDirectory()))
        .expect(() -> requireTls(config));
  }

  private static void requireTls(ProxyConfig config) throws IOException {
    if (config.tls().isPresent()) {
      LinkTls.check(config.tls().get());
    }
  }

  /** Notes what is wrong with the whitelist; a missing one is an empty one. */
  public ProxyCheck whitelist(ProxyConfig config) {
    return expect(() -> readWhitelist(config));
  }

  private static void readWhitelist(ProxyConfig config) throws WhitelistException {
    QtfsWhitelist ignored = QtfsWhitelist.loadIfPresent(config.whitelist());
  }

  /** Notes why something cannot be done. */
  public ProxyCheck expect(Step step) {
    try {
      step.run();
    } catch (Exception e) {
      String.valueOf(e.getMessage()).lines().forEach(problems::add);
    }
    return this;
  }

  /** One line each; none if it would start. */
  public List<String> problems() {
    return List.copyOf(problems);
  }
}
