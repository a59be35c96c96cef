package qtfs.udsproxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.MessageIo;
import qtfs.linux.Poll;

/** Blocking reads and writes on descriptors, for tests; no read waits longer than 10 s. */
final class Sockets {
  private static final Duration LIMIT = Duration.ofSeconds(10);

  private Sockets() {}

  static void write(Fd fd, String text) throws IOException {
    write(fd, text.getBytes(UTF_8));
  }

  static void write(Fd fd, byte[] bytes) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment segment = arena.allocate(bytes.length + 1L);
      MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 0, bytes.length);
      for (long at = 0; at < bytes.length; ) {
        long n = fd.write(segment.asSlice(at), bytes.length - at);
        if (n < 0) {
          throw new IOException(Errno.message((int) -n));
        }
        at += n;
      }
    }
  }

  /** Writes to a socket that does not block until it takes nothing more; how much that was. */
  static long fill(Fd socket) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment chunk = arena.allocate(60_000);
      for (long total = 0; ; ) {
        long n = socket.write(chunk, chunk.byteSize());
        if (n == -Errno.EAGAIN) {
          return total;
        }
        if (n < 0) {
          throw new IOException(Errno.message((int) -n));
        }
        total += n;
      }
    }
  }

  /** Exactly so many bytes, or fewer at the end of the stream. */
  static byte[] read(Fd fd, int count) throws IOException {
    byte[] bytes = new byte[count];
    int at = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment segment = arena.allocate(Math.max(1, Math.min(count, 1 << 16)));
      while (at < count) {
        if (Poll.readable(LIMIT, fd)[0] == 0) {
          throw new IOException("nothing to read after " + at + " of " + count + " bytes");
        }
        int n = (int) fd.read(segment, Math.min(count - at, segment.byteSize()));
        if (n < 0) {
          throw new IOException(Errno.message(-n));
        }
        if (n == 0) {
          break;
        }
        MemorySegment.copy(segment, ValueLayout.JAVA_BYTE, 0, bytes, at, n);
        at += n;
      }
    }
    return Arrays.copyOf(bytes, at);
  }

  static String readText(Fd fd, int count) throws IOException {
    return new String(read(fd, count), UTF_8);
  }

  /** Everything up to the end of the stream. */
  static String readAll(Fd fd) throws IOException {
    return readText(fd, 1 << 20);
  }

  /** What one recvmsg gives. */
  record Message(String text, List<Fd> fds) {}

  static Message receive(Fd socket) throws IOException {
    if (Poll.readable(LIMIT, socket)[0] == 0) {
      throw new IOException("no message");
    }
    try (Arena arena = Arena.ofConfined();
        MessageIo messages = new MessageIo()) {
      MemorySegment segment = arena.allocate(1 << 17);
      messages.piece(0, segment.address(), segment.byteSize());
      int n = (int) messages.receive(socket, 1);
      if (n < 0) {
        throw new IOException(Errno.message(-n));
      }
      return new Message(
          new String(segment.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE), UTF_8),
          messages.takeFds());
    }
  }

  static void send(Fd socket, String text, List<Fd> fds) throws IOException {
    try (Arena arena = Arena.ofConfined();
        MessageIo messages = new MessageIo()) {
      MemorySegment segment = arena.allocateFrom(text);
      messages.piece(0, segment.address(), text.getBytes(UTF_8).length);
      long n = messages.send(socket, 1, fds);
      if (n < 0) {
        throw new IOException(Errno.message((int) -n));
      }
    }
  }
}
