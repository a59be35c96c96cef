package qtfs.dist;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/** A program that sends back what it reads, on every connection to a path, until it is killed. */
final class EchoServer {
  private EchoServer() {}

  public static void main(String[] args) throws IOException {
    try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      listener.bind(UnixDomainSocketAddress.of(args[0]), 128);
      while (true) {
        SocketChannel accepted = listener.accept();
        Thread.ofPlatform().start(() -> echo(accepted));
      }
    }
  }

  private static void echo(SocketChannel accepted) {
    try (accepted) {
      ByteBuffer buffer = ByteBuffer.allocate(4096);
      while (accepted.read(buffer.clear()) > 0) {
        buffer.flip();
        while (buffer.hasRemaining()) {
          accepted.write(buffer);
        }
      }
    } catch (IOException e) {
      System.err.println("echo: " + e);
    }
  }
}
