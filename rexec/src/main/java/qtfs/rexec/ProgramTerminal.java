package qtfs.rexec;

import java.io.Closeable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.LinuxException;
import qtfs.linux.Pipe;
import qtfs.linux.Poll;
import qtfs.linux.Pty;
import qtfs.linux.Terminal;

/**
 * The terminal of a program, and two threads that copy between it and the client's standard input
 * and output. Owns all of these.
 */
final class ProgramTerminal implements Closeable {
  private static final int SIZE = 16384;
  private static final byte END_OF_FILE = 4; // ^D

  /** How often a full terminal is asked whether the call is over. */
  private static final Duration TURN = Duration.ofMillis(100);

  /** For a terminal that somebody whom the program has left behind keeps open. */
  private static final int SILENT_TURNS = 3;

  private final Pty pty;
  private final Fd input;
  private final Fd output;
  private final Pipe stop;

  /** This object and its threads: the last one to go closes what all of them use. */
  private final AtomicInteger users = new AtomicInteger(1);

  private final AtomicLong bytesIn = new AtomicLong();
  private final AtomicLong bytesOut = new AtomicLong();
  private final CountDownLatch outputEnded = new CountDownLatch(1);
  private volatile boolean moved;
  private volatile boolean writing;
  private volatile boolean stopped;
  private boolean started;

  private ProgramTerminal(Pty pty, Fd input, Fd output, Pipe stop) {
    this.pty = pty;
    this.input = input;
    this.output = output;
    this.stop = stop;
  }

  /**
   * A terminal that nothing is copied to or from yet.
   *
   * @param input the client's standard input, owned from now on, as is output
   */
  static ProgramTerminal open(Wishes.Terminal wish, Fd input, Fd output) throws LinuxException {
    try (output) {
      Pty pty = Pty.open(new Terminal.Size(wish.rows(), wish.columns()));
      return new ProgramTerminal(pty, input, notBlocking(output), Pipe.open());
    } catch (LinuxException e) {
      input.close();
      throw e;
    }
  }

  /** For a pipe, as every client of ours sends one: a reader that is stuck must not stop us. */
  private static Fd notBlocking(Fd output) throws LinuxException {
    return FileStatus.of(output).isFifo()
        ? output.reopen(Fd.O_WRONLY | Fd.O_NONBLOCK)
        : output.duplicate();
  }

  Pty pty() {
    return pty;
  }

  /** How many bytes of the client's input the program could read. */
  long bytesIn() {
    return bytesIn.get();
  }

  /** How many bytes the program has written. */
  long bytesOut() {
    return bytesOut.get();
  }

  void resize(Message.Resize size) {
    Terminal.resize(pty.master(), new Terminal.Size(size.rows(), size.columns()));
  }

  /** Begins to copy: once the program has the terminal open. */
  void start() {
    started = true;
    int ignored = users.addAndGet(2);
    Thread.ofPlatform().daemon().name("terminal input").start(this::copyInput);
    Thread.ofPlatform().daemon().name("terminal output").start(this::copyOutput);
  }

  private void copyInput() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(SIZE);
      boolean goesOn = true;
      while (goesOn && awaitReadable(input)) {
        long n = input.read(buffer, SIZE);
        if (n <= 0 && n != -Errno.EAGAIN && n != -Errno.EINTR) {
          // What a user would type: the terminal itself has no end.
          buffer.set(ValueLayout.JAVA_BYTE, 0, END_OF_FILE);
          goesOn = false;
          n = 1;
        } else {
          bytesIn.addAndGet(Math.max(0, n));
        }
        goesOn &= write(pty.master(), buffer, n);
      }
    } finally {
      input.close();
      release();
    }
  }

  private void copyOutput() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(SIZE);
      boolean goesOn = true;
      while (goesOn && awaitReadable(pty.master())) {
        long n = pty.master().read(buffer, SIZE);
        moved = true;
        writing = true;
        bytesOut.addAndGet(Math.max(0, n));
        goesOn = n > 0 ? write(output, buffer, n) : n == -Errno.EAGAIN || n == -Errno.EINTR;
        writing = false;
      }
    } finally {
      output.close();
      outputEnded.countDown();
      release();
    }
  }

  private void release() {
    if (users.decrementAndGet() == 0) {
      pty.close();
      stop.read().close();
    }
  }

  /** False when the call is over. */
  private boolean awaitReadable(Fd fd) {
    return Poll.readable(Deadline.FOREVER, stop.read(), fd)[0] == 0;
  }

  /** Writes all; false if nobody takes any more. */
  private boolean write(Fd to, MemorySegment bytes, long length) {
    for (long at = 0; at < length; ) {
      long n = to.write(bytes.address() + at, length - at);
      if (n >= 0) {
        at += n;
      } else if (n == -Errno.EAGAIN) {
        while (!Poll.writable(TURN, to)) {
          if (stopped) {
            return false;
          }
        }
      } else if (n != -Errno.EINTR) {
        return false;
      }
    }
    return true;
  }

  /** Waits until the client has all that the program has written; after the program's end. */
  void drain() {
    for (int silent = 0; silent < SILENT_TURNS; ) {
      moved = false;
      if (outputEndsIn(TURN)) {
        return;
      }
      boolean nothingWaits = Poll.readable(Duration.ZERO, pty.master())[0] == 0;
      silent = !moved && !writing && nothingWaits ? silent + 1 : 0;
    }
  }

  private boolean outputEndsIn(Duration time) {
    try {
      return outputEnded.await(time.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return true;
    }
  }

  /** Hangs up, as soon as the threads have noticed; more than once does no harm. */
  @Override
  public void close() {
    if (!stopped) {
      stopped = true;
      stop.write().close();
      release();
      if (!started) {
        input.close();
        output.close();
      }
    }
  }
}
