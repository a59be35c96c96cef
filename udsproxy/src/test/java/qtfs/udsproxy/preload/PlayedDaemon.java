package qtfs.udsproxy.preload;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.newsclub.net.unix.AFUNIXServerSocketChannel;
import org.newsclub.net.unix.AFUNIXSocketAddress;
import org.newsclub.net.unix.AFUNIXSocketChannel;
import qtfs.udsproxy.connector.ConnectRequest;

/**
 * udsproxyd's request socket as a test plays it, on a thread of its own: it keeps what it is sent
 * and gives every request the same answer. Closing ends it.
 */
final class PlayedDaemon implements AutoCloseable {
  static final byte[] READY = {1, 0, 0, 0};

  private final AFUNIXServerSocketChannel listener;
  private final List<byte[]> requests = new CopyOnWriteArrayList<>();

  private PlayedDaemon(Path runDir, int backlog) throws IOException {
    listener = AFUNIXServerSocketChannel.open();
    listener.bind(AFUNIXSocketAddress.of(runDir.resolve("remote_uds.sock")), backlog);
  }

  /** Reads each request and writes the answer, byte by byte. */
  static PlayedDaemon answering(Path runDir, byte... answer) throws IOException {
    PlayedDaemon daemon = new PlayedDaemon(runDir, 64);
    Thread.ofPlatform().daemon().start(() -> daemon.serve(answer));
    return daemon;
  }

  /** Closes each connection at once, without reading. */
  static PlayedDaemon hangingUp(Path runDir) throws IOException {
    PlayedDaemon daemon = new PlayedDaemon(runDir, 64);
    Thread.ofPlatform().daemon().start(daemon::hangUp);
    return daemon;
  }

  /** Accepts nobody; the kernel does, two of them. */
  static PlayedDaemon silent(Path runDir) throws IOException {
    return new PlayedDaemon(runDir, 1);
  }

  List<byte[]> requests() {
    return requests;
  }

  private void serve(byte[] answer) {
    try {
      while (true) {
        try (AFUNIXSocketChannel connector = listener.accept()) {
          requests.add(read(connector));
          for (byte b : answer) {
            connector.write(ByteBuffer.wrap(new byte[] {b}));
          }
        }
      }
    } catch (IOException closed) {
      return;
    }
  }

  private void hangUp() {
    try {
      while (true) {
        listener.accept().close();
      }
    } catch (IOException closed) {
      return;
    }
  }

  private static byte[] read(AFUNIXSocketChannel connector) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(2 * ConnectRequest.LENGTH);
    while (buffer.position() < ConnectRequest.LENGTH && connector.read(buffer) > 0) {}
    return Arrays.copyOf(buffer.array(), buffer.position());
  }

  @Override
  public void close() throws IOException {
    listener.close();
  }
}
