package qtfs.dist;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/**
 * A program that floods both hosts' ports, as a stranger at its own host's and as the peer at the
 * other's: garbage, requests that stop anywhere, whole requests with garbage behind, silence.
 * Arguments: OWN-ADDRESS PEER-ADDRESS PORT PATH SEED. Stopped by a signal it holds what it has
 * open.
 */
final class ChaosStranger {
  private static final int CONNECT_MILLIS = 500;
  private static final int AT_ONCE = 40;
  private static final int MOST_GARBAGE = 4000;
  private static final long PAUSE_NANOS = 15_000_000;
  private static final int REQUEST_LENGTH = 112;

  private final Random random;
  private final String path;
  private final Deque<Socket> open = new ArrayDeque<>();

  private ChaosStranger(String path, long seed) {
    this.path = path;
    this.random = new Random(seed);
  }

  public static void main(String[] args) throws IOException {
    ChaosStranger stranger = new ChaosStranger(args[3], Long.parseLong(args[4]));
    System.out.println("here");
    int port = Integer.parseInt(args[2]);
    for (int i = 0; true; i++) {
      stranger.trouble(new InetSocketAddress(InetAddress.getByName(args[i % 2]), port));
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  private void trouble(InetSocketAddress port) throws IOException {
    if (open.size() >= AT_ONCE) {
      open.removeFirst().close();
    }
    Socket socket = new Socket();
    try {
      socket.connect(port, CONNECT_MILLIS);
      socket.getOutputStream().write(words());
      open.add(socket);
    } catch (IOException nobodyThere) {
      socket.close();
    }
  }

  private byte[] words() {
    byte[] garbage = new byte[random.nextInt(MOST_GARBAGE)];
    random.nextBytes(garbage);
    byte[] request = request();
    return switch (random.nextInt(4)) {
      case 0 -> garbage;
      case 1 -> Arrays.copyOf(request, random.nextInt(request.length));
      case 2 -> new byte[0];
      default ->
          ByteBuffer.allocate(request.length + garbage.length).put(request).put(garbage).array();
    };
  }

  /** For a connection, a pipe or a socket, in either dialect. */
  private byte[] request() {
    ByteBuffer buffer = ByteBuffer.allocate(8 + REQUEST_LENGTH).order(ByteOrder.LITTLE_ENDIAN);
    int kind = 1 + random.nextInt(3);
    buffer.putInt(kind);
    if (kind != 1) {
      return buffer.putInt(8).putLong(random.nextLong() & 0x7fffffff00000001L).array();
    }
    buffer.putInt(REQUEST_LENGTH).putShort((short) 1).putShort((short) 0);
    buffer.put(path.getBytes(US_ASCII));
    if (random.nextBoolean()) {
      buffer.position(8 + REQUEST_LENGTH - 8).put("QTFX\1\0\0\0".getBytes(US_ASCII));
    }
    return buffer.array();
  }
}
