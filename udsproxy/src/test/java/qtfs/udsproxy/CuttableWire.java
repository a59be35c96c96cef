package qtfs.udsproxy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/**
 * What is between two proxies, in the hands of somebody who can cut it. Relays what it is given,
 * with threads of its own, until it is cut: from then on not a byte passes.
 */
final class CuttableWire implements AutoCloseable {
  /** How TCP ends for both proxies; neither of them has said so. */
  enum Cut {
    FIN,
    RST
  }

  private final ServerSocket server;
  private final InetSocketAddress to;
  private final List<Socket> ends = new ArrayList<>(); // guarded by this
  private boolean cut; // guarded by this

  private CuttableWire(InetSocketAddress to) throws IOException {
    this.server = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
    this.to = to;
  }

  /** One that leads to an address. */
  static CuttableWire to(InetSocketAddress to) throws IOException {
    CuttableWire wire = new CuttableWire(to);
    run(wire::accept);
    return wire;
  }

  /** Where it begins. */
  InetSocketAddress from() {
    return (InetSocketAddress) server.getLocalSocketAddress();
  }

  private interface Work {
    void run() throws IOException;
  }

  private static void run(Work work) {
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              try {
                work.run();
              } catch (IOException over) {
                // A proxy or the test has closed its end.
              }
            });
  }

  private void accept() throws IOException {
    while (true) {
      Socket near = server.accept();
      Socket far = new Socket(to.getAddress(), to.getPort());
      synchronized (this) {
        ends.add(near);
        ends.add(far);
      }
      run(() -> carry(near, far));
      run(() -> carry(far, near));
    }
  }

  private void carry(Socket in, Socket out) throws IOException {
    byte[] bytes = new byte[1 << 16];
    for (int n = in.getInputStream().read(bytes); n >= 0; n = in.getInputStream().read(bytes)) {
      synchronized (this) {
        if (!cut) {
          out.getOutputStream().write(bytes, 0, n);
        }
      }
    }
  }

  synchronized void cut(Cut how) throws IOException {
    cut = true;
    for (Socket end : ends) {
      switch (how) {
        case FIN -> end.shutdownOutput();
        case RST -> {
          end.setSoLinger(true, 0);
          end.close();
        }
      }
    }
  }

  @Override
  public synchronized void close() throws IOException {
    server.close();
    for (Socket end : ends) {
      end.close();
    }
  }
}
