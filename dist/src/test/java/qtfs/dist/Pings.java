package qtfs.dist;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A client of {@link EchoServer} that prints in milliseconds what 99 of 100 of its short messages
 * take there and back on one connection, and what 9 of 10 of its connects with one message take.
 * Arguments: PATH MESSAGES CONNECTS.
 */
final class Pings {
  private static final String TEXT = "0123456789abcdef".repeat(4);

  private Pings() {}

  public static void main(String[] args) throws IOException {
    long[] messages = new long[Integer.parseInt(args[1])];
    try (PlainSocket socket = PlainSocket.connect(args[0])) {
      for (int i = 0; i < messages.length; i++) {
        long start = System.nanoTime();
        ping(socket);
        messages[i] = System.nanoTime() - start;
      }
    }
    long[] connects = new long[Integer.parseInt(args[2])];
    for (int i = 0; i < connects.length; i++) {
      long start = System.nanoTime();
      try (PlainSocket socket = PlainSocket.connect(args[0])) {
        ping(socket);
      }
      connects[i] = System.nanoTime() - start;
    }
    System.out.println(millis(messages, 99) + " " + millis(connects, 90));
  }

  private static void ping(PlainSocket socket) throws IOException {
    socket.send(TEXT, List.of());
    for (int got = 0; got < TEXT.length(); ) {
      int length = socket.receive().text().length();
      if (length == 0) {
        throw new IOException("the echo ends");
      }
      got += length;
    }
  }

  private static long millis(long[] nanos, int percent) {
    Arrays.sort(nanos);
    return TimeUnit.NANOSECONDS.toMillis(nanos[(nanos.length - 1) * percent / 100]);
  }
}
