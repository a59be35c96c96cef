package qtfs.dist;

import java.io.IOException;

/**
 * A program that asks udsproxyd for a number of connections to a path, so that as many clients
 * which know nothing of it can connect to {@code <path>.proxy} within the pairing time.
 */
final class Announce {
  private Announce() {}

  public static void main(String[] args) throws IOException {
    for (int i = Integer.parseInt(args[1]); i > 0; i--) {
      PlainSocket.request(args[0]);
    }
  }
}
