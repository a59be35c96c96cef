package qtfs.udsproxy;

import java.nio.file.Path;

/** Two proxies of which one speaks v1 only: nobody can tell. */
final class SessionInV1Test extends SessionPromises {
  @Override
  ProxyPair open(Path two) throws Exception {
    return ProxyPair.open(two, Dialect.V1);
  }
}
