package qtfs.engine;

import java.nio.file.Path;
import qtfs.udsproxy.ProxyConfig;

/**
 * What an engine is told at its start.
 *
 * @param threads that serve the module's requests, 1 to {@link #MAX_THREADS}
 * @param device of the module
 * @param proxy inside; its whitelist file is the module's too
 */
record EngineConfig(int threads, Path device, ProxyConfig proxy) {
  static final int MAX_THREADS = 16; // QTFS_MAX_THREADS

  /** The whitelist of the module and of the proxy. */
  Path whitelist() {
    return proxy.whitelist();
  }
}
