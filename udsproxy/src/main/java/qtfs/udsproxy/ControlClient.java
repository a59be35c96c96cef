package qtfs.udsproxy;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.Poll;
import qtfs.linux.UnixSocket;

/** Asks the daemon that holds a run directory, over a connection for each request. */
final class ControlClient {
  private static final Duration PATIENCE = Duration.ofSeconds(15);
  private static final int CHUNK = 1 << 16;

  private final Path socket;

  ControlClient(Path runDirectory) {
    this.socket = runDirectory.resolve(ControlSocket.NAME);
  }

  /** Nobody listens there. */
  static final class NotRunningException extends IOException {
    private static final long serialVersionUID = 1L;

    NotRunningException(Path socket) {
      super("nobody listens at " + socket + ": start udsproxyd or engine, or give its --run-dir");
    }
  }

  /**
   * The daemon's answer to a request, without the end of its line.
   *
   * @throws IOException if there is none, after {@link #PATIENCE} of silence at the latest
   */
  String ask(String request) throws IOException {
    try (Fd fd = connect()) {
      send(fd, request + '\n');
      return receive(fd);
    }
  }

  private Fd connect() throws IOException {
    try {
      return UnixSocket.connect(socket.toString());
    } catch (LinuxException e) {
      if (e.errno() == Errno.ENOENT || e.errno() == Errno.ECONNREFUSED) {
        throw new NotRunningException(socket);
      }
      throw e;
    }
  }

  /** A request fits into the socket's buffer, so that this does not wait for the daemon. */
  private void send(Fd fd, String line) throws LinuxException {
    byte[] bytes = line.getBytes(UTF_8);
    try (Arena arena = Arena.ofConfined()) {
      long sent = fd.write(arena.allocateFrom(JAVA_BYTE, bytes), bytes.length);
      if (sent < 0) {
        throw new LinuxException("write " + socket, (int) -sent);
      }
    }
  }

  private String receive(Fd fd) throws IOException {
    ByteArrayOutputStream answer = new ByteArrayOutputStream();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment chunk = arena.allocate(CHUNK);
      while (true) {
        if (Poll.readable(PATIENCE, fd)[0] == 0) {
          throw new IOException("no answer from " + socket + " in " + PATIENCE.toSeconds() + " s");
        }
        int n = (int) fd.read(chunk, CHUNK);
        if (n <= 0) {
          throw new IOException(
              socket + " has closed without an answer" + (n < 0 ? ": " + Errno.message(-n) : ""));
        }
        boolean complete = chunk.get(JAVA_BYTE, n - 1) == '\n';
        answer.writeBytes(chunk.asSlice(0, complete ? n - 1 : n).toArray(JAVA_BYTE));
        if (complete) {
          return answer.toString(UTF_8);
        }
      }
    }
  }
}
