package qtfs.rexec;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.LinuxException;

/**
 * Two pipes to a manager that holds the start of the program back until it knows its number: named
 * by {@code REXEC_HANDSHAKE_RD} and {@code REXEC_HANDSHAKE_WR}.
 */
final class HandshakePipes {
  static final String READ = "REXEC_HANDSHAKE_RD";
  static final String WRITE = "REXEC_HANDSHAKE_WR";

  private final Fd read;
  private final Fd write;

  private HandshakePipes(Fd read, Fd write) {
    this.read = read;
    this.write = write;
  }

  /**
   * The pipes, or null unless both variables are set.
   *
   * @throws RexecException if one names no pipe above 2
   */
  static @Nullable HandshakePipes of(@Nullable String read, @Nullable String write, Caller caller)
      throws RexecException {
    if (read == null || write == null) {
      return null;
    }
    return new HandshakePipes(pipe(READ, read, caller), pipe(WRITE, write, caller));
  }

  private static Fd pipe(String variable, String value, Caller caller) throws RexecException {
    int number;
    try {
      number = Integer.parseInt(value);
    } catch (NumberFormatException e) {
      throw wrong(variable, value, "no number");
    }
    if (number <= 2) {
      throw wrong(variable, value, "not above 2");
    }
    Fd fd = caller.inherited(number);
    try {
      if (fd == null) {
        throw new LinuxException(variable, Errno.EBADF);
      }
      if (!FileStatus.of(fd).isFifo()) {
        throw wrong(variable, value, "not a pipe");
      }
    } catch (LinuxException e) {
      throw wrong(variable, value, Errno.message(e.errno()));
    }
    return fd;
  }

  private static RexecException wrong(String variable, String value, String why) {
    return new RexecException(
        ExitCode.OWN_FAILURE,
        variable + "=" + value + " must be the descriptor of a pipe: it is " + why);
  }

  /** The outcome of waiting for the manager. */
  enum Outcome {
    ANSWERED,
    MANAGER_GONE,
    CONNECTION_EVENT
  }

  private byte answer;

  /** The manager's answer, once there is one. */
  byte answer() {
    return answer;
  }

  /** Tells the manager that the pid file is written, and waits for its answer. */
  Outcome exchange(Fd connection, Waiting waiting) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment one = arena.allocate(1);
      one.set(ValueLayout.JAVA_BYTE, 0, (byte) '1');
      if (write.write(one, 1) != 1) {
        return Outcome.MANAGER_GONE;
      }
      int[] events = waiting.readable(Deadline.FOREVER, read, connection);
      if (events[0] == 0) {
        return Outcome.CONNECTION_EVENT;
      }
      if (read.read(one, 1) != 1) {
        return Outcome.MANAGER_GONE;
      }
      answer = one.get(ValueLayout.JAVA_BYTE, 0);
      return Outcome.ANSWERED;
    }
  }
}
