package qtfs.engine;

import java.util.List;
import qtfs.udsproxy.ProxyCheck;

/**
 * What would keep an engine from starting, told all at once without starting one: neither the
 * kernel module nor an engine that runs notices. What passes by itself, a port or a lock in use, is
 * left out.
 */
final class Check {
  private Check() {}

  /** One line each; none if it would start. */
  static List<String> problems(EngineConfig config) {
    return new ProxyCheck()
        .expect(() -> Service.requireMount(config, Service.load(config.whitelist())))
        .expect(() -> ServerModule.open(config.device()).close())
        .proxy(config.proxy())
        .problems();
  }
}
