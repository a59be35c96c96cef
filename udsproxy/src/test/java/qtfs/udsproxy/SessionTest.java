package qtfs.udsproxy;

import java.nio.file.Path;

/** A session over TCP. */
final class SessionTest extends SessionPromises {
  @Override
  ProxyPair open(Path two) throws Exception {
    return ProxyPair.open(two);
  }
}
