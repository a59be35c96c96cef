package qtfs.udsproxy;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** A session whose link is secured is like any other. */
final class TlsSessionTest extends SessionPromises {
  private static TlsConfig host;

  @BeforeAll
  static void certify(@TempDir Path files) throws Exception {
    host = TestAuthority.create(files).host("host", "ip:127.0.0.1", "127.0.0.1");
  }

  @Override
  ProxyPair open(Path two) throws Exception {
    return ProxyPair.secured(two, host, host);
  }
}
