package qtfs.rexec;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.Poll;

/**
 * A connection on which something short is asked and answered once, all of it before a deadline.
 * The descriptor stays the caller's. One thread.
 */
final class Exchange {
  private final Fd connection;
  private final Deadline deadline;

  Exchange(Fd connection, Deadline deadline) {
    this.connection = connection;
    this.deadline = deadline;
  }

  /**
   * Reads a question.
   *
   * @param end what it ends with
   * @param most bytes that are read
   * @return what was read, a char for each byte; without its end only if there was none among the
   *     first {@code most} bytes, or before the connection's end
   */
  String read(String end, int most) throws IOException {
    StringBuilder text = new StringBuilder();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment one = arena.allocate(1);
      while (text.length() < most && text.indexOf(end, text.length() - end.length()) < 0) {
        if (Poll.readable(deadline.left(), connection)[0] == 0) {
          throw new IOException("no complete question in time");
        }
        long n = connection.read(one, 1);
        if (n == 1) {
          text.append((char) (one.get(ValueLayout.JAVA_BYTE, 0) & 0xff));
        } else if (n != -Errno.EAGAIN && n != -Errno.EINTR) {
          break;
        }
      }
    }
    return text.toString();
  }

  /** Writes an answer, as far as somebody takes it. */
  void write(byte[] bytes) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment segment = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
      for (long at = 0; at < bytes.length; ) {
        if (!Poll.writable(deadline.left(), connection)) {
          throw new IOException("an answer is not read");
        }
        long n = connection.write(segment.address() + at, bytes.length - at);
        if (n >= 0) {
          at += n;
        } else if (n != -Errno.EAGAIN && n != -Errno.EINTR) {
          return;
        }
      }
    }
  }
}
