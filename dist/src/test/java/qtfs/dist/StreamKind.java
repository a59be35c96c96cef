package qtfs.dist;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.Pipe;
import qtfs.linux.Poll;
import qtfs.linux.Pty;
import qtfs.linux.RawTerminal;
import qtfs.linux.Terminal;
import qtfs.linux.UnixSocket;

/** What a standard stream of a program can be, with somebody at its other end. */
enum StreamKind {
  PIPE,
  FILE,
  NULL,
  TERMINAL,
  SOCKET,
  CLOSED;

  private static final byte END_OF_FILE = 4; // ^D
  private static final long LIMIT_SECONDS = 100;

  /** Every byte there is, and more of them than a pipe holds. */
  private static final byte[] BYTES = new byte[100_000];

  /** What a terminal hands on as it is, in lines that it can hold. */
  private static final byte[] LINES = "a line\n".repeat(100).getBytes(US_ASCII);

  static {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(1);
    random.nextBytes(BYTES);
  }

  /**
   * One end for the program, the other with a thread of ours.
   *
   * @param programs null for a closed stream; closed once the program has it
   * @param ours closed by {@link #close}, if it is open then
   * @param bytes that were written into it, or are read from it up to its end
   */
  record Stream(@Nullable Fd programs, @Nullable Fd ours, CompletableFuture<byte[]> bytes)
      implements Closeable {
    void letGo() {
      if (programs != null) {
        programs.close();
      }
    }

    byte[] await() throws Exception {
      return bytes.get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    @Override
    public void close() {
      letGo();
      if (ours != null) {
        ours.close();
      }
    }
  }

  /** A standard input, with bytes and an end. */
  Stream input(Path directory) throws IOException {
    return switch (this) {
      case PIPE -> {
        Pipe pipe = Pipe.open();
        yield new Stream(pipe.read(), null, written(pipe.write(), BYTES));
      }
      case FILE -> {
        Path file = Files.write(Files.createTempFile(directory, "in", ""), BYTES);
        yield new Stream(
            Fd.open(file, Fd.O_RDONLY), null, CompletableFuture.completedFuture(BYTES));
      }
      case SOCKET -> {
        UnixSocket.Pair pair = UnixSocket.pair();
        yield new Stream(pair.first(), null, written(pair.second(), BYTES));
      }
      case TERMINAL -> {
        Pty pty = Pty.open(new Terminal.Size(24, 80));
        Fd terminal = Fd.open(pty.path(), Fd.O_RDWR | Fd.O_NOCTTY, 0);
        write(pty.master(), LINES);
        write(pty.master(), new byte[] {END_OF_FILE});
        yield new Stream(terminal, pty.master(), CompletableFuture.completedFuture(LINES));
      }
      case NULL, CLOSED -> nothing();
    };
  }

  /** A standard output or error. */
  Stream output(Path directory) throws IOException {
    return switch (this) {
      case PIPE -> {
        Pipe pipe = Pipe.open();
        yield new Stream(pipe.write(), pipe.read(), read(pipe.read()));
      }
      case FILE -> {
        Path file = Files.createTempFile(directory, "out", "");
        yield new Stream(Fd.open(file, Fd.O_WRONLY), null, new FileBytes(file));
      }
      case SOCKET -> {
        UnixSocket.Pair pair = UnixSocket.pair();
        yield new Stream(pair.first(), pair.second(), read(pair.second()));
      }
      case TERMINAL -> {
        Pty pty = Pty.open(new Terminal.Size(24, 80));
        Fd terminal = Fd.open(pty.path(), Fd.O_RDWR | Fd.O_NOCTTY, 0);
        RawTerminal ignored = new RawTerminal(terminal);
        yield new Stream(terminal, pty.master(), read(pty.master()));
      }
      case NULL, CLOSED -> nothing();
    };
  }

  private Stream nothing() throws IOException {
    @Nullable Fd programs = this == NULL ? Fd.open("/dev/null", Fd.O_RDWR, 0) : null;
    return new Stream(programs, null, CompletableFuture.completedFuture(new byte[0]));
  }

  /** Whether what a program writes there can be looked at. */
  boolean keeps() {
    return this != NULL && this != CLOSED;
  }

  /** What a file holds when it is asked, which is after the end of who writes it. */
  private static final class FileBytes extends CompletableFuture<byte[]> {
    private final Path file;

    FileBytes(Path file) {
      this.file = file;
    }

    @Override
    public byte[] get(long timeout, TimeUnit unit) {
      try {
        return Files.readAllBytes(file);
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }
  }

  private static CompletableFuture<byte[]> written(Fd to, byte[] bytes) {
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              try (to) {
                write(to, bytes);
              }
            });
    return CompletableFuture.completedFuture(bytes);
  }

  private static void write(Fd to, byte[] bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment segment = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
      for (long at = 0; at < bytes.length; ) {
        long n = to.write(segment.address() + at, bytes.length - at);
        if (n < 0) {
          return; // nobody reads it any more: the other end will be found short
        }
        at += n;
      }
    }
  }

  private static CompletableFuture<byte[]> read(Fd from) {
    CompletableFuture<byte[]> result = new CompletableFuture<>();
    Thread.ofPlatform().daemon().start(() -> result.complete(readAll(from)));
    return result;
  }

  private static byte[] readAll(Fd from) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(65536);
      while (true) {
        long n = from.read(buffer, 65536);
        if (n > 0) {
          bytes.writeBytes(buffer.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE));
        } else if (n == -Errno.EAGAIN) {
          Poll.readable(Duration.ofSeconds(LIMIT_SECONDS), from);
        } else {
          return bytes.toByteArray(); // of a terminal the end is EIO
        }
      }
    }
  }
}
