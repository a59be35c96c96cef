package qtfs.udsproxy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;

/** Two proxies of one machine, linked by vsock, are like any two. */
final class VsockSessionTest extends SessionPromises {
  private static final int LOCAL = 1; // VMADDR_CID_LOCAL

  /** Loads the kernel's module where this may be done. */
  @BeforeAll
  static void requireLoopback() throws InterruptedException {
    try {
      new ProcessBuilder("modprobe", "-q", "vsock_loopback").inheritIO().start().waitFor();
    } catch (IOException noModprobe) {
      // It may be there even so.
    }
    try {
      new Endpoint.Vsock(LOCAL, 0).requireOwn();
    } catch (StartException e) {
      String reason =
          "SKIPPED: two proxies over real vsock: this kernel has no vsock loopback, which"
              + " \"modprobe vsock_loopback\" loads (apt-get install kmod linux-image-amd64)";
      System.err.println(reason);
      Assumptions.abort(reason);
    }
  }

  @Override
  ProxyPair open(Path two) throws Exception {
    int port = ThreadLocalRandom.current().nextInt(20_000, 60_000);
    return new ProxyPair(two, new Endpoint.Vsock(LOCAL, port), new Endpoint.Vsock(LOCAL, port + 1));
  }
}
