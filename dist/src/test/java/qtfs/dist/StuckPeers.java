package qtfs.dist;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/**
 * A peer whose connections each stop after another byte of their first message, and say no more
 * until it is killed. Arguments: ADDRESS PORT CONNECTIONS PATH.
 */
final class StuckPeers {
  private static final int CNTL_UDS = 1;
  private static final int REQUEST_LENGTH = 112;
  private static final int MESSAGE_LENGTH = 8 + REQUEST_LENGTH;

  private StuckPeers() {}

  public static void main(String[] args) throws Exception {
    byte[] message = message(args[3]);
    List<Socket> connections = new ArrayList<>();
    for (int i = 0; i < Integer.parseInt(args[2]); i++) {
      Socket connection = new Socket(args[0], Integer.parseInt(args[1]));
      connection.getOutputStream().write(message, 0, i % MESSAGE_LENGTH);
      connections.add(connection);
    }
    System.out.println("stuck: " + connections.size());
    new CountDownLatch(1).await();
  }

  private static byte[] message(String path) {
    return ByteBuffer.allocate(MESSAGE_LENGTH)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(CNTL_UDS)
        .putInt(REQUEST_LENGTH)
        .putShort((short) 1)
        .putShort((short) 0)
        .put(path.getBytes(UTF_8))
        .array();
  }
}
