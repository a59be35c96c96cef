package qtfs.dist;

import java.nio.file.Path;
import java.util.List;
import qtfs.linux.Fd;
import qtfs.linux.Pipe;

/**
 * A program that receives one message with three descriptors (a file, a pipe to read, a pipe to
 * write), uses them, and answers with the same three kinds of its own.
 *
 * <p>Prints what it saw, one fact a line.
 */
final class FdServer {
  private FdServer() {}

  public static void main(String[] args) throws Exception {
    try (PlainSocket socket = PlainSocket.acceptOne(Path.of(args[0]))) {
      use(socket.receive());
      answer(socket, Path.of(args[1]));
    }
  }

  /** Reads the file and the first pipe to their ends, and writes to the second. */
  static void use(PlainSocket.Message message) throws Exception {
    System.out.println("message: " + message.text());
    List<Fd> fds = message.fds();
    System.out.println("descriptors: " + fds.size());
    System.out.println("file: " + PlainSocket.readAll(fds.get(0)));
    System.out.println("pipe: " + PlainSocket.readAll(fds.get(1)));
    PlainSocket.writeAndClose(fds.get(2), "written into a passed pipe");
    Fd.closeAll(fds);
  }

  /** Sends the three descriptors, and plays the other end of both pipes. */
  static void answer(PlainSocket socket, Path file) throws Exception {
    try (Pipe toPeer = Pipe.open();
        Pipe fromPeer = Pipe.open();
        Fd open = Fd.open(file, Fd.O_RDONLY)) {
      socket.send("three of mine", List.of(open, toPeer.read(), fromPeer.write()));
      toPeer.read().close();
      fromPeer.write().close();
      PlainSocket.writeAndClose(toPeer.write(), "read from a passed pipe");
      System.out.println("came back: " + PlainSocket.readAll(fromPeer.read()));
    }
  }
}
