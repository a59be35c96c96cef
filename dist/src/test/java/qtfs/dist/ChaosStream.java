package qtfs.dist;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.Poll;
import qtfs.linux.UnixSocket;

/**
 * One end of a unix stream that says and checks bytes which follow from a seed and their place, so
 * that none can be wrong, missing or out of order unseen.
 *
 * <p>A wait that is longer than any that is allowed, or a wrong byte, is an {@link AssertionError};
 * an {@link IOException} is what an application sees of a session that was lost. One thread may
 * read while another one writes. Owns the socket, which does not block.
 */
record ChaosStream(Fd fd) implements Closeable {
  /** Nothing may stand still for longer, whatever has been done to it. */
  static final Duration LIMIT = Duration.ofSeconds(45);

  private static final int CHUNK = 32_768;

  /** The end of the stream that was said while both sides are there. */
  static final class HalfClosedException extends IOException {
    private static final long serialVersionUID = 1;

    HalfClosedException() {
      super("half-closed");
    }
  }

  static ChaosStream connect(String path) throws IOException {
    Fd socket = UnixSocket.open(UnixSocket.Type.STREAM, false);
    int result = UnixSocket.connect(socket, path);
    if (result < 0) {
      socket.close();
      throw new LinuxException("connect " + path, -result);
    }
    return new ChaosStream(socket);
  }

  /** Byte number i of the stream of a seed. */
  private static byte pattern(long seed, long i) {
    long mixed = (i + seed * 1_000_003) ^ (i >> 13);
    return (byte) ((mixed * 0x9E3779B97F4A7C15L) >>> 56);
  }

  void writeNumbers(long... numbers) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocateFrom(JAVA_LONG_UNALIGNED, numbers);
      write(buffer, buffer.byteSize());
    }
  }

  long[] readNumbers(int count) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(8L * count);
      for (long at = 0; at < buffer.byteSize(); ) {
        at += read(buffer.asSlice(at));
      }
      return buffer.toArray(JAVA_LONG_UNALIGNED);
    }
  }

  void writePattern(long seed, long length) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(CHUNK);
      for (long at = 0; at < length; ) {
        int n = (int) Math.min(CHUNK, length - at);
        for (int i = 0; i < n; i++) {
          buffer.set(JAVA_BYTE, i, pattern(seed, at + i));
        }
        write(buffer, n);
        at += n;
      }
    }
  }

  /**
   * Reads and checks.
   *
   * @param stall made once, in the middle
   */
  void readPattern(long seed, long length, Runnable stall) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(CHUNK);
      boolean stalled = false;
      for (long at = 0; at < length; ) {
        long n = readSome(buffer.asSlice(0, Math.min(CHUNK, length - at)), at, length);
        for (int i = 0; i < n; i++) {
          if (buffer.get(JAVA_BYTE, i) != pattern(seed, at + i)) {
            throw new AssertionError("byte " + (at + i) + " of " + length + " is wrong");
          }
        }
        at += n;
        if (!stalled && at > length / 2) {
          stalled = true;
          stall.run();
        }
      }
    }
  }

  private long readSome(MemorySegment buffer, long at, long length) throws IOException {
    try {
      return read(buffer);
    } catch (HalfClosedException e) {
      throw new AssertionError(
          "the stream is said to end after " + at + " bytes, and " + length + " were sent", e);
    }
  }

  /** Reads the end, and nothing before it; whether the other program has said it. */
  boolean readEnd() {
    try (Arena arena = Arena.ofConfined()) {
      long n = read(arena.allocate(1));
      throw new AssertionError(n + " byte more than was sent");
    } catch (HalfClosedException end) {
      return true;
    } catch (IOException hungUp) {
      return false;
    }
  }

  /**
   * Reads at least one byte.
   *
   * @throws HalfClosedException at an end that the other program has said: whoever loses a session
   *     closes its socket, which hangs up
   */
  private long read(MemorySegment buffer) throws IOException {
    while (true) {
      if (Poll.readable(LIMIT, fd)[0] == 0) {
        throw new AssertionError("nothing to read in " + LIMIT.toSeconds() + " s: it hangs");
      }
      long n = fd.read(buffer, buffer.byteSize());
      if (n > 0) {
        return n;
      } else if (n == 0) {
        throw (Poll.readable(Duration.ZERO, fd)[0] & Poll.HUP) == 0
            ? new HalfClosedException()
            : new IOException("hung up");
      } else if (n != -Errno.EAGAIN) {
        throw new LinuxException("read", (int) -n);
      }
    }
  }

  private void write(MemorySegment buffer, long length) throws IOException {
    for (long at = 0; at < length; ) {
      long n = fd.write(buffer.address() + at, length - at);
      if (n >= 0) {
        at += n;
      } else if (n != -Errno.EAGAIN) {
        throw new LinuxException("write", (int) -n);
      } else if (!Poll.writable(LIMIT, fd)) {
        throw new AssertionError("no room to write in " + LIMIT.toSeconds() + " s: it hangs");
      }
    }
  }

  void shutdownWrite() {
    UnixSocket.shutdownWrite(fd);
  }

  @Override
  public void close() {
    fd.close();
  }
}
