package qtfs.rexec;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.MessageIo;
import qtfs.linux.Poll;

/**
 * The agent's side of a connection of a launcher, which it owns. One thread.
 *
 * <p>The launcher sends an {@link AgentRequest}, a byte 0 once it is accepted, and a byte for each
 * signal from then on. It is told, each time a number and a value of 4 bytes, little-endian:
 *
 * <pre>
 * 1  the call is accepted: on your word nobody else makes it
 * 2  it is declined: make it yourself
 * 3  exit with this code
 * 4  end by this signal
 * 5  stop, until SIGCONT
 * 6  write to standard error the bytes that follow, this many
 * </pre>
 */
final class AgentChannel implements Closeable {
  private static final int ACCEPTED = 1;
  private static final int DECLINED = 2;
  private static final int EXIT = 3;
  private static final int DIE = 4;
  private static final int STOP = 5;
  private static final int COMPLAIN = 6;
  private static final byte GO = 0;
  private static final int MOST_WORDS = 4096;
  private static final int CHUNK = 16384;

  private final Fd connection;
  private final MessageIo io = MessageIo.ofThisThreadNeverWaiting();
  private final Arena arena = Arena.ofConfined();
  private final MemorySegment chunk = arena.allocate(CHUNK);

  AgentChannel(Fd connection) {
    this.connection = connection;
  }

  Fd connection() {
    return connection;
  }

  /** Receives a request, whole. */
  AgentRequest receive(Deadline deadline) throws IOException {
    List<Fd> fds = new ArrayList<>();
    try {
      byte[] header = new byte[AgentRequest.HEADER_LENGTH];
      fill(header, fds, deadline);
      byte[] data = new byte[AgentRequest.dataLength(header)];
      fill(data, fds, deadline);
      AgentRequest request = AgentRequest.decode(header, data, fds);
      fds = List.of();
      return request;
    } finally {
      Fd.closeAll(fds);
    }
  }

  private void fill(byte[] bytes, List<Fd> fds, Deadline deadline) throws IOException {
    for (int length = 0; length < bytes.length; ) {
      if (Poll.readable(deadline.left(), connection)[0] == 0) {
        throw new ProtocolException("no complete request in time");
      }
      io.piece(0, chunk.address(), Math.min(CHUNK, bytes.length - length));
      long n = io.receive(connection, 1);
      fds.addAll(io.takeFds());
      if (n == 0 || io.fdsWereDropped()) {
        throw new ProtocolException(n == 0 ? "the launcher is gone" : "too many files are open");
      } else if (n > 0) {
        MemorySegment.copy(chunk, ValueLayout.JAVA_BYTE, 0, bytes, length, (int) n);
        length += (int) n;
      } else if (n != -Errno.EAGAIN && n != -Errno.EINTR) {
        throw new LinuxException("receive", (int) -n);
      }
    }
  }

  /** Accepts the call; false if the launcher does not wait for that any more. */
  boolean accept(Deadline deadline) throws IOException {
    say(ACCEPTED, 0);
    return Poll.readable(deadline.left(), connection)[0] != 0
        && Arrays.equals(arrived(), new byte[] {GO});
  }

  /** Has the launcher make the call itself. */
  void decline() {
    sayLast(DECLINED, 0);
  }

  void exit(int code) {
    sayLast(EXIT, code);
  }

  void die(int signal) {
    sayLast(DIE, signal);
  }

  void stop() throws LinuxException {
    say(STOP, 0);
  }

  /** Writes a line to the launcher's standard error. */
  void complain(String line) {
    byte[] words = (line + "\n").getBytes(UTF_8);
    int length = Math.min(words.length, MOST_WORDS);
    try {
      send(COMPLAIN, length, Arrays.copyOf(words, length));
    } catch (LinuxException e) {
      // Gone: there is nobody to read it.
    }
  }

  /** What has arrived; nothing if nothing has, or at the end. */
  byte[] arrived() throws LinuxException {
    io.piece(0, chunk.address(), CHUNK);
    long n = io.receive(connection, 1);
    Fd.closeAll(io.takeFds());
    if (n < 0) {
      throw new LinuxException("receive", (int) -n);
    }
    return chunk.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE);
  }

  private void sayLast(int what, int value) {
    try {
      say(what, value);
    } catch (LinuxException e) {
      // Gone: there is nobody to hear it.
    }
  }

  private void say(int what, int value) throws LinuxException {
    send(what, value, new byte[0]);
  }

  /** In one piece, which a socket that so little is sent over always has room for. */
  private void send(int what, int value, byte[] words) throws LinuxException {
    chunk.set(ValueLayout.JAVA_INT, 0, what);
    chunk.set(ValueLayout.JAVA_INT, 4, value);
    MemorySegment.copy(words, 0, chunk, ValueLayout.JAVA_BYTE, 8, words.length);
    io.piece(0, chunk.address(), 8L + words.length);
    long n = io.send(connection, 1, List.of());
    if (n < 0) {
      throw new LinuxException("send", (int) -n);
    }
  }

  @Override
  public void close() {
    connection.close();
    io.close();
    arena.close();
  }
}
