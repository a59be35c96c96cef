package qtfs.engine;

import java.util.ArrayList;
import java.util.List;
import qtfs.udsproxy.Endpoint;
import qtfs.udsproxy.StartException;

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
    expect(() -> requireOwn(config.proxy().address()));
    return problems;
  }

  private static void requireOwn(Endpoint address) throws EngineException {
    try {
      address.requireOwn();
    } catch (StartException e) {
      throw new EngineException(e);
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
