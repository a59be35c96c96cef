package qtfs.udsproxy.preload;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.newsclub.net.unix.AFUNIXServerSocketChannel;
import org.newsclub.net.unix.AFUNIXSocketAddress;
import org.newsclub.net.unix.AFUNIXSocketChannel;

/**
 * A server on a thread of its own that sends back the first four bytes of every connection, one
 * connection after the other. Closing ends it and removes its socket.
 */
final class Echo implements AutoCloseable {
  private final AFUNIXServerSocketChannel listener;

  private Echo(Path path) throws IOException {
    listener = AFUNIXServerSocketChannel.open();
    listener.bind(AFUNIXSocketAddress.of(path), 64);
  }

  static Echo at(Path path) throws IOException {
    Echo echo = new Echo(path);
    Thread.ofPlatform().daemon().start(echo::serve);
    return echo;
  }

  private void serve() {
    try {
      while (true) {
        try (AFUNIXSocketChannel client = listener.accept()) {
          ByteBuffer word = ByteBuffer.allocate(4);
          while (word.hasRemaining() && client.read(word) > 0) {}
          client.write(word.flip());
        }
      }
    } catch (IOException closed) {
      return;
    }
  }

  @Override
  public void close() throws IOException {
    listener.close();
  }
}
