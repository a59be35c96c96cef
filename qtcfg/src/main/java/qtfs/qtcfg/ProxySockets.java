package qtfs.qtcfg;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import qtfs.linux.ByteStrings;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.Poll;
import qtfs.linux.UnixSocket;

/**
 * The two sockets on which the proxy of this host answers whoever connects: with what it does, and
 * with the step of its log level that the connecting has caused.
 *
 * @param runDirectory where they are
 */
record ProxySockets(String runDirectory) {
  private static final String DEFAULT_RUN_DIRECTORY = "/var/run/qtfs";
  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final int MOST = 1 << 20;
  private static final int CHUNK = 8192;

  /**
   * @param wanted the value of QTFS_RUN_DIR
   */
  static ProxySockets in(@Nullable String wanted) {
    return new ProxySockets(
        wanted == null || wanted.isEmpty() ? DEFAULT_RUN_DIRECTORY : ByteStrings.text(wanted));
  }

  String diagnostics() {
    return runDirectory + "/uds_proxy_diag.sock";
  }

  String logLevel() {
    return runDirectory + "/uds_loglevel.sock";
  }

  /**
   * The answer of a socket, a byte string.
   *
   * @throws LinuxException ETIMEDOUT after {@link #PATIENCE} without an answer
   */
  static String ask(String socket) throws LinuxException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    ByteArrayOutputStream answer = new ByteArrayOutputStream();
    try (Fd fd = UnixSocket.connect(socket);
        Arena arena = Arena.ofConfined()) {
      MemorySegment chunk = arena.allocate(CHUNK);
      while (answer.size() < MOST) {
        awaitReadable(fd, socket, deadline);
        long read = fd.read(chunk, CHUNK);
        if (read < 0) {
          throw new LinuxException("read " + socket, (int) -read);
        }
        if (read == 0) {
          break;
        }
        answer.writeBytes(chunk.asSlice(0, read).toArray(JAVA_BYTE));
      }
    }
    return answer.toString(ISO_8859_1);
  }

  private static void awaitReadable(Fd fd, String socket, long deadline) throws LinuxException {
    long nanos = Math.max(0, deadline - System.nanoTime());
    if (Poll.readable(Duration.ofNanos(nanos), fd)[0] == 0) {
      throw new LinuxException("no answer from " + socket, Errno.EAGAIN);
    }
  }
}
