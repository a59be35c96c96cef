package qtfs.rexec;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.MessageIo;

/**
 * Messages over a connected socket, however the bytes are cut on the way. For the thread that made
 * it. The socket stays the caller's.
 *
 * <p>A read never goes beyond the message that it is for, so descriptors that arrive meanwhile
 * belong to that message.
 */
final class MessageChannel implements Closeable {
  private static final int CHUNK = 8192;

  private final Fd socket;
  private final Waiting waiting;
  private final MessageIo io = MessageIo.ofThisThread();
  private final Arena arena = Arena.ofConfined();
  private final MemorySegment chunk = arena.allocate(CHUNK);

  MessageChannel(Fd socket) {
    this(socket, new Waiting.Plain());
  }

  /** With something else going on while it waits for bytes. */
  MessageChannel(Fd socket, Waiting waiting) {
    this.socket = socket;
    this.waiting = waiting;
  }

  /** A message and the descriptors that came with it, owned by the holder. */
  record Received(Message message, List<Fd> fds) implements Closeable {
    @Override
    public void close() {
      Fd.closeAll(fds);
    }
  }

  Fd socket() {
    return socket;
  }

  /**
   * Sends a message with copies of descriptors, which stay the caller's; blocks until all of it is
   * on its way.
   */
  void send(Message message, List<Fd> fds) throws LinuxException {
    byte[] bytes = message.encode();
    try (Arena sending = Arena.ofConfined()) {
      MemorySegment segment = sending.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
      for (int done = 0; done < bytes.length; ) {
        io.piece(0, segment.address() + done, bytes.length - done);
        long sent = io.send(socket, 1, done == 0 ? fds : List.of());
        if (sent >= 0) {
          done += (int) sent;
        } else if (sent != -Errno.EINTR) {
          throw new LinuxException("send", (int) -sent);
        }
      }
    }
  }

  /**
   * Receives the next message.
   *
   * @return null if the other side has closed the connection between two messages
   * @throws ProtocolException for bytes that are no message, and for one not complete in time
   * @throws LinuxException if the connection broke
   */
  @Nullable Received receive(Deadline deadline) throws IOException {
    List<Fd> fds = new ArrayList<>();
    try {
      byte[] header = new byte[MessageCodec.HEADER_LENGTH];
      if (!fill(header, fds, deadline, true)) {
        return null;
      }
      byte[] data = new byte[MessageCodec.dataLength(header)];
      fill(data, fds, deadline, false);
      Received received = new Received(MessageCodec.decode(header, data), fds);
      fds = List.of();
      return received;
    } finally {
      Fd.closeAll(fds);
    }
  }

  /** Fills the array; false if the stream ended before its first byte, where that is allowed. */
  private boolean fill(byte[] bytes, List<Fd> fds, Deadline deadline, boolean mayEnd)
      throws IOException {
    int length = 0;
    while (length < bytes.length) {
      if (waiting.readable(deadline.left(), socket)[0] == 0) {
        throw new ProtocolException("no complete message in time");
      }
      io.piece(0, chunk.address(), Math.min(CHUNK, bytes.length - length));
      long n = io.receive(socket, 1);
      if (n == -Errno.EINTR || n == -Errno.EAGAIN) {
        continue;
      } else if (n < 0) {
        throw new LinuxException("receive", (int) -n);
      }
      fds.addAll(io.takeFds());
      if (io.fdsWereDropped()) {
        throw new ProtocolException("descriptors lost: too many files are open");
      } else if (n == 0 && length == 0 && mayEnd) {
        return false;
      } else if (n == 0) {
        throw new ProtocolException("the connection ended inside a message");
      }
      MemorySegment.copy(chunk, ValueLayout.JAVA_BYTE, 0, bytes, length, (int) n);
      length += (int) n;
    }
    return true;
  }

  @Override
  public void close() {
    arena.close();
    io.close();
  }
}
