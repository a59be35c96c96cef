package qtfs.udsproxy;

import qtfs.linux.Daemon;

/** The proxy as what {@code udsproxyd} is: a program that serves until it is told to stop. */
final class ProxyService implements Daemon {
  private final ProxyConfig config;
  private final ProxyDaemon proxy;

  ProxyService(ProxyConfig config, ProxyDaemon proxy) {
    this.config = config;
    this.proxy = proxy;
  }

  @Override
  public String status() {
    return "listening on "
        + config.address()
        + " for "
        + config.peer()
        + ", run directory "
        + config.runDirectory();
  }

  @Override
  public void reload() {
    proxy.reload();
  }

  @Override
  public boolean isAlive() {
    return proxy.isAlive();
  }

  @Override
  public void drain() {
    proxy.drain();
  }

  @Override
  public int workLeft() {
    return proxy.workLeft();
  }

  @Override
  public void stop() {
    proxy.stop();
  }
}
