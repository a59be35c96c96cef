package qtfs.dist;

import java.nio.file.Path;

/** The program that talks to {@link FdServer}: sends first, then receives. */
final class FdClient {
  private FdClient() {}

  public static void main(String[] args) throws Exception {
    try (PlainSocket socket = PlainSocket.connect(args[0])) {
      FdServer.answer(socket, Path.of(args[1]));
      FdServer.use(socket.receive());
    }
  }
}
