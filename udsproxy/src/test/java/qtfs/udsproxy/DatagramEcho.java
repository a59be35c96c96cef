package qtfs.udsproxy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import qtfs.linux.MessageIo;
import qtfs.linux.Poll;
import qtfs.linux.UnixListener;

/** A server of datagrams, which answers each with "to" and what it was sent. */
final class DatagramEcho {
  private DatagramEcho() {}

  static void answer(UnixListener service, int datagrams) throws IOException {
    try (Arena arena = Arena.ofConfined();
        MessageIo messages = new MessageIo()) {
      MemorySegment segment = arena.allocate(128);
      segment.copyFrom(arena.allocateFrom("to "));
      for (int i = 0; i < datagrams; i++) {
        if (Poll.readable(Duration.ofSeconds(10), service.socket())[0] == 0) {
          throw new IOException("no datagram");
        }
        messages.piece(0, segment.address() + 3, 100);
        long length = messages.receiveFrom(service.socket(), 1);
        byte[] sender = messages.sender();
        messages.piece(0, segment.address(), 3 + length);
        if (messages.sendTo(service.socket(), 1, List.of(), sender) < 0) {
          throw new IOException("cannot answer");
        }
      }
    }
  }
}
