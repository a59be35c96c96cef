package qtfs.udsproxy;

import static java.util.Objects.requireNonNull;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.Memfd;
import qtfs.linux.MessageIo;
import qtfs.linux.UnixSocket;

/**
 * An application at one end of a {@link ModelledSession}, and the model of what it has sent: bytes
 * in their order, or messages, descriptors in theirs, and the end. What the other one receives is
 * compared with it at once. Owns its socket. For one thread.
 */
final class ModelledApplication implements Closeable {
  /** No divisor of a buffer's size, so that what is in the wrong place differs. */
  private static final int PERIOD = 65521;

  static final int MOST = 300_000;

  private final ModelStep.Side side;
  private final Fd socket;
  private final UnixSocket.Type type;
  private final Dialect dialect;
  private final MessageIo io = MessageIo.neverWaiting();
  private final Arena arena = Arena.ofConfined();
  private final MemorySegment pattern = arena.allocate(PERIOD + MOST);
  private final MemorySegment space = arena.allocate(MOST);
  private final Queue<Integer> messages = new ArrayDeque<>(); // that the other has not received
  private final Queue<Expected> fds = new ArrayDeque<>();
  private long sent; // bytes, or messages
  private long arrived;
  private long bytesArrived;
  private boolean ended;
  private boolean seesEnd;
  private int memfds;

  /**
   * A descriptor that is to arrive.
   *
   * @param at the first byte, or the message, that it was sent with
   * @param number of this application's memfds
   */
  private record Expected(ModelStep.Passed kind, long at, int number) {}

  ModelledApplication(ModelStep.Side side, Fd socket, UnixSocket.Type type, Dialect dialect) {
    this.side = side;
    this.socket = socket;
    this.type = type;
    this.dialect = dialect;
    for (int i = 0; i < pattern.byteSize(); i++) {
      int at = i % PERIOD;
      pattern.set(
          ValueLayout.JAVA_BYTE,
          i,
          (byte) (at * 31 + (at >> 8) + (side == ModelStep.Side.A ? 0 : 1)));
    }
    if (type == UnixSocket.Type.SEQPACKET) {
      UnixSocket.stampMessages(socket);
    }
  }

  boolean isGone() {
    return !socket.isOpen();
  }

  /** Whether nothing more is to come from it. */
  boolean hasEnded() {
    return ended;
  }

  /** Whether it has been told that nothing more is to come. */
  boolean seesEnd() {
    return seesEnd;
  }

  /** Whether the other has all that it has sent. */
  boolean hasArrived() {
    return arrived == sent && fds.isEmpty();
  }

  void end() {
    if (!isGone()) {
      UnixSocket.shutdownWrite(socket);
      ended = true;
    }
  }

  @Override
  public void close() {
    ended = true;
    socket.close();
  }

  void free() {
    close();
    arena.close();
    io.close();
  }

  // ---- sends

  /**
   * Sends, as far as there is room.
   *
   * @param mayFail whether somebody is gone
   */
  void send(ModelStep.Send step, boolean mayFail) throws IOException {
    if (ended) {
      return;
    }
    boolean stream = type == UnixSocket.Type.STREAM;
    int length = Math.min(step.bytes(), stream ? MOST : dialect.maxPayload());
    if (stream && length == 0) {
      return;
    }
    List<Fd> passed = new ArrayList<>();
    List<Expected> expected = new ArrayList<>();
    try {
      for (ModelStep.Passed kind : step.fds()) {
        passed.add(open(kind));
        if (crosses(kind)) {
          expected.add(new Expected(kind, sent, memfds));
        }
      }
      // Of messages each begins with its own number.
      io.piece(0, pattern.address() + sent % PERIOD, length);
      long n = io.send(socket, 1, passed);
      if (n >= 0) {
        sent += stream ? n : 1;
        fds.addAll(expected);
        if (!stream) {
          messages.add(length);
        }
      } else if (n != -Errno.EAGAIN) {
        require(mayFail, "cannot send: " + Errno.message((int) -n));
      }
    } finally {
      Fd.closeAll(passed);
    }
  }

  private boolean crosses(ModelStep.Passed kind) {
    return switch (kind) {
      case FILE -> true;
      case MEMFD, DIRECTORY, DEVICE -> dialect == Dialect.EXTENDED;
      case SECRET_FILE, DATAGRAM_SOCKET, HANDLE -> false;
    };
  }

  private Fd open(ModelStep.Passed kind) throws IOException {
    return switch (kind) {
      case FILE -> Fd.open(Path.of("/etc/passwd"), Fd.O_RDONLY);
      case SECRET_FILE -> Fd.open(Path.of("/etc/group"), Fd.O_RDONLY);
      case DIRECTORY -> Fd.open(Path.of("/usr/bin"), Fd.O_RDONLY);
      case DEVICE -> Fd.open(Path.of("/dev/null"), Fd.O_RDWR);
      case HANDLE -> Fd.open(Path.of("/etc/passwd"), Fd.O_PATH);
      case DATAGRAM_SOCKET -> UnixSocket.open(UnixSocket.Type.DGRAM, true);
      case MEMFD -> memfd(++memfds);
    };
  }

  /** Some have more than a frame takes. */
  private static int contentLength(int number) {
    return number * 30_011 % 150_000;
  }

  private Fd memfd(int number) throws IOException {
    Fd file = Memfd.create("model");
    int length = contentLength(number);
    long written = length == 0 ? 0 : file.write(pattern.address() + number, length);
    require(written == length, "a memfd took " + written);
    file.position(number % (length + 1));
    return file;
  }

  // ---- receives

  /**
   * Receives once from the other one.
   *
   * @param mayEnd whether an end may come before all that was sent
   * @return whether there was something
   */
  boolean receive(ModelledApplication other, int most, boolean mayEnd) throws IOException {
    if (isGone() || seesEnd) {
      return false;
    }
    io.piece(0, space.address(), Math.clamp(most, 1, MOST));
    long n = io.receive(socket, 1);
    List<Fd> received = io.takeFds();
    try {
      if (n == -Errno.EAGAIN) {
        return false;
      } else if (n == -Errno.ECONNRESET && type != UnixSocket.Type.STREAM) {
        require(mayEnd || other.isGone(), "reset, but nobody is gone");
        return true; // told ahead of the messages that are there
      } else if (n < 0 || (n == 0 && !io.wasMessage())) {
        seeEnd(other, (int) -n, mayEnd);
        return true;
      }
      if (type == UnixSocket.Type.STREAM) {
        other.compareStream(space, n, received);
      } else {
        other.compareMessage(space, n, received, io.wasTruncated());
      }
      return true;
    } finally {
      Fd.closeAll(received);
    }
  }

  private void seeEnd(ModelledApplication other, int errno, boolean mayEnd) {
    seesEnd = true;
    if (!mayEnd) {
      require(other.ended, "sees an end that there is not, " + errno);
      require(errno == 0 || other.isGone(), Errno.message(errno) + " instead of an end");
      require(other.hasArrived(), "sees the end before " + other.outstanding());
    }
  }

  private void compareStream(MemorySegment bytes, long length, List<Fd> received)
      throws IOException {
    require(arrived + length <= sent, "more bytes than were sent");
    compare(bytes, arrived, length);
    for (Fd fd : received) {
      Expected expected = next();
      require(expected.at < sent, "a descriptor of nothing");
      compare(fd, expected);
    }
    arrived += length;
    bytesArrived += length;
    Expected late = fds.peek();
    require(
        late == null || late.at >= arrived, "the byte is there, but not its descriptor " + late);
  }

  private void compareMessage(
      MemorySegment bytes, long length, List<Fd> received, boolean truncated) throws IOException {
    require(!messages.isEmpty(), "more messages than were sent");
    int whole = requireNonNull(messages.remove());
    require(truncated ? length < whole : length == whole, length + " bytes instead of " + whole);
    compare(bytes, arrived, length);
    for (Fd fd : received) {
      Expected expected = next();
      require(expected.at == arrived, "a descriptor of message " + expected.at);
      compare(fd, expected);
    }
    arrived++;
    bytesArrived += length;
    Expected late = fds.peek();
    require(late == null || late.at >= arrived, "the message is there, but not " + late);
  }

  private Expected next() {
    Expected expected = fds.poll();
    require(expected != null, "a descriptor that was not sent");
    return requireNonNull(expected);
  }

  private void compare(MemorySegment bytes, long from, long length) {
    long at = from % PERIOD;
    long differs = MemorySegment.mismatch(pattern, at, at + length, bytes, 0, length);
    require(differs < 0, "another byte at " + (from + differs));
  }

  private void compare(Fd fd, Expected expected) throws IOException {
    switch (expected.kind) {
      case FILE -> requireSame(fd, "/etc/passwd");
      case DIRECTORY -> requireSame(fd, "/usr/bin");
      case DEVICE -> requireSame(fd, "/dev/null");
      case MEMFD -> compareContent(fd, expected.number);
      case SECRET_FILE, DATAGRAM_SOCKET, HANDLE -> require(false, "crossed: " + expected);
    }
  }

  private void requireSame(Fd fd, String path) throws IOException {
    require(FileStatus.of(fd).sameFile(FileStatus.of(Path.of(path))), "is not " + path);
  }

  private void compareContent(Fd fd, int number) throws IOException {
    int length = contentLength(number);
    require(FileStatus.of(fd).size() == length, "content of " + FileStatus.of(fd).size());
    require(fd.position() == number % (length + 1), "content at " + fd.position());
    fd.position(0);
    try (Arena reading = Arena.ofConfined()) {
      MemorySegment content = reading.allocate(Math.max(1, length));
      require(fd.read(content, length) == length, "content cannot be read");
      require(
          MemorySegment.mismatch(pattern, number, number + length, content, 0, length) < 0,
          "another content");
    }
  }

  /** For a complaint. */
  String outstanding() {
    return side + ": " + arrived + " of " + sent + " arrived, descriptors to come: " + fds;
  }

  private void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new AssertionError(
          otherwise + " (" + side + ", " + bytesArrived + " bytes arrived; " + outstanding() + ")");
    }
  }
}
