package qtfs.udsproxy;

import java.io.Closeable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.MessageIo;
import qtfs.linux.UnixSocket;

/**
 * One direction of the network between two proxies: takes along as much as it is told to, cut
 * anywhere. The sockets stay the caller's. For one thread.
 */
final class ModelWire implements Closeable {
  private static final int SIZE = 1 << 16;

  private final Fd from;
  private final Fd to;
  private final MessageIo io = MessageIo.neverWaiting();
  private final Arena arena = Arena.ofConfined();
  private final MemorySegment space = arena.allocate(SIZE, 4);
  private final ByteBuffer header = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
  private int start;
  private int end;
  private int bodyLeft; // of the frame that is being taken along
  private boolean ended;
  private boolean lost;

  ModelWire(Fd from, Fd to) {
    this.from = from;
    this.to = to;
  }

  /** Takes at most so many bytes along; returns whether anything has moved. */
  boolean carry(int most) {
    int left = most;
    boolean moved = deliver();
    while (left > 0 && start == end && !ended && from.isOpen()) {
      io.piece(0, space.address(), Math.min(left, SIZE));
      long received = io.receive(from, 1);
      Fd.closeAll(io.takeFds());
      if (received == -Errno.EAGAIN) {
        break;
      }
      moved = true;
      if (received <= 0) {
        ended = true;
        UnixSocket.shutdownWrite(to);
        break;
      }
      start = 0;
      end = (int) received;
      left -= end;
      follow();
      deliver();
    }
    return moved;
  }

  /** Slips a header in, where one may stand; false if none may stand here. */
  boolean slip(int msgtype, int msglen) {
    if (ended || lost || start < end || header.position() > 0 || bodyLeft > 0 || !to.isOpen()) {
      return false;
    }
    space
        .asSlice(0, 8)
        .asByteBuffer()
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(msgtype)
        .putInt(msglen);
    start = 0;
    end = 8;
    deliver();
    return !lost;
  }

  private boolean deliver() {
    int before = start;
    while (start < end && to.isOpen()) {
      io.piece(0, space.address() + start, end - start);
      long sent = io.send(to, 1, List.of());
      if (sent == -Errno.EAGAIN) {
        break;
      }
      lost |= sent < 0; // nobody is there
      start = sent < 0 ? end : start + (int) sent;
    }
    return start > before;
  }

  /** Keeps account of where frames begin. */
  private void follow() {
    for (int at = start; at < end; ) {
      if (bodyLeft > 0) {
        int skipped = Math.min(bodyLeft, end - at);
        bodyLeft -= skipped;
        at += skipped;
        continue;
      }
      header.put(space.get(ValueLayout.JAVA_BYTE, at++));
      if (!header.hasRemaining()) {
        bodyLeft = header.getInt(4);
        header.clear();
      }
    }
  }

  @Override
  public void close() {
    arena.close();
    io.close();
  }
}
