package qtfs.dist;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import qtfs.linux.Fd;

/**
 * The program that gets what {@link KindsClient} sends. Prints what each descriptor is good for.
 */
final class KindsServer {
  private KindsServer() {}

  public static void main(String[] args) throws Exception {
    try (PlainSocket socket = PlainSocket.acceptOne(Path.of(args[0]))) {
      use(socket.receive());
    }
  }

  private static void use(PlainSocket.Message message) throws Exception {
    List<Fd> fds = message.fds();
    System.out.println(message.text() + ": " + fds.size());
    long offset = fds.get(0).position();
    System.out.println("file at " + offset + ": " + PlainSocket.readAll(fds.get(0)));
    try (Stream<Path> names = Files.list(Path.of(fds.get(1).procPath()))) {
      System.out.println("directory: " + names.map(Path::getFileName).sorted().toList());
    }
    System.out.println("memfd: " + PlainSocket.readAll(fds.get(2)));
    System.out.println("deleted: " + PlainSocket.readAll(fds.get(3)));
    KindsClient.write(fds.get(4), "for nobody");
    System.out.println("null: " + PlainSocket.readAll(fds.get(4)));
    System.out.println("zero: " + someOf(fds.get(5)));
    System.out.println("pipe: " + PlainSocket.readAll(fds.get(6)));
    PlainSocket.writeAndClose(fds.get(7), "from the server");
    System.out.println("FIFO: " + PlainSocket.readAll(fds.get(8)));
    fds.get(0).position(5);
    new PlainSocket(fds.get(9)).send("a file comes back", List.of(fds.get(0)));
    Fd.closeAll(fds);
  }

  private static List<Byte> someOf(Fd zero) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(2).fill((byte) 7);
      long count = zero.read(bytes, 2);
      return List.of(
          (byte) count, bytes.get(ValueLayout.JAVA_BYTE, 0), bytes.get(ValueLayout.JAVA_BYTE, 1));
    }
  }
}
