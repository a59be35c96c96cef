package qtfs.dist;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import qtfs.linux.Fd;
import qtfs.linux.Memfd;
import qtfs.linux.Pipe;
import qtfs.linux.UnixSocket;

/**
 * A program that sends one message with a descriptor of every kind, those between them that have no
 * meaning on another host, and plays the other end of those that have one. Prints what comes back.
 */
final class KindsClient {
  private KindsClient() {}

  public static void main(String[] args) throws Exception {
    Path directory = Path.of(args[1]);
    Path file = Files.writeString(directory.resolve("file"), "01234text of the file");
    Path deleted = Files.writeString(directory.resolve("deleted"), "text of the deleted");
    Path fifo = directory.resolve("fifo");
    Pipe.makeFifo(fifo, 0600);
    try (PlainSocket socket = PlainSocket.connect(args[0]);
        Fd open = Fd.open(file, Fd.O_RDWR);
        Fd memory = Memfd.create("kinds");
        Fd gone = Fd.open(deleted, Fd.O_RDONLY);
        Fd place = Fd.open(directory, Fd.O_RDONLY);
        Fd none = Fd.open("/dev/null", Fd.O_RDWR, 0);
        Fd zero = Fd.open("/dev/zero", Fd.O_RDONLY, 0);
        Pipe toPeer = Pipe.open();
        Pipe fromPeer = Pipe.open();
        Fd fifoRead = Fd.open(fifo, Fd.O_RDONLY | Fd.O_NONBLOCK);
        Fd fifoWrite = Fd.open(fifo, Fd.O_WRONLY);
        UnixSocket.Pair pair = UnixSocket.pair();
        UnixSocket.Pair packets = UnixSocket.pair(UnixSocket.Type.SEQPACKET);
        Fd both = Fd.open(fifo, Fd.O_RDWR);
        Fd terminal = Fd.open("/dev/ptmx", Fd.O_RDWR | Fd.O_NOCTTY, 0);
        Fd namespace = Fd.open("/proc/self/ns/net", Fd.O_RDONLY, 0);
        Fd byPathOnly = Fd.open(file, Fd.O_PATH)) {
      open.position(5);
      write(memory, "text of the memfd");
      memory.position(8);
      Files.delete(deleted);
      List<Fd> all =
          List.of(
              open,
              terminal,
              place,
              memory,
              packets.first(),
              gone,
              none,
              namespace,
              zero,
              toPeer.read(),
              fromPeer.write(),
              both,
              fifoRead,
              byPathOnly,
              pair.first());
      socket.send("every kind", all);
      Fd.closeAll(all);
      PlainSocket.writeAndClose(toPeer.write(), "through a pipe");
      PlainSocket.writeAndClose(fifoWrite, "through a FIFO");
      System.out.println("pipe: " + PlainSocket.readAll(fromPeer.read()));
      PlainSocket.Message back = new PlainSocket(pair.second()).receive();
      System.out.println(
          "socket: " + back.text() + ": " + PlainSocket.readAll(back.fds().getFirst()));
      Fd.closeAll(back.fds());
      System.out.println("end: " + PlainSocket.readAll(socket.fd()));
    }
  }

  static void write(Fd fd, String text) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocateFrom(text);
      long length = text.getBytes(UTF_8).length;
      if (fd.write(bytes, length) != length) {
        throw new IllegalStateException("cannot write " + text);
      }
    }
  }
}
