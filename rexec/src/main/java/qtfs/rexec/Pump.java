package qtfs.rexec;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.Poll;

/** A copy on a platform thread of its own, which blocks in read and write. */
final class Pump implements Copy, Runnable {
  private static final int SIZE = 65536; // a pipe's own buffer

  private final String what;
  private final @Nullable Fd source;
  private final @Nullable Fd sink;
  private final Fd pipe;
  private final MemorySegment buffer = Arena.ofAuto().allocate(SIZE);
  private boolean started;
  private final CountDownLatch done = new CountDownLatch(1);
  private volatile boolean anything;
  private volatile boolean writing;
  private final AtomicLong moved = new AtomicLong();
  private volatile @Nullable String failure;

  private Pump(String what, @Nullable Fd source, @Nullable Fd sink, Fd pipe) {
    this.what = what;
    this.source = source;
    this.sink = sink;
    this.pipe = pipe;
  }

  /**
   * From a standard stream to the program.
   *
   * @param from null for nothing to read
   * @param pipe owned by the pump
   */
  static Pump toProgram(String what, @Nullable Fd from, Fd pipe) {
    return new Pump(what, from, pipe, pipe);
  }

  /**
   * From the program to a standard stream.
   *
   * @param pipe owned by the pump
   * @param to null to throw the bytes away
   */
  static Pump fromProgram(String what, Fd pipe, @Nullable Fd to) {
    return new Pump(what, pipe, to, pipe);
  }

  @Override
  public void start() {
    started = true;
    Thread thread = new Thread(this, what);
    thread.setDaemon(true);
    thread.start();
  }

  /** By the thread that would have started it. */
  @Override
  public void abandon() {
    if (!started) {
      pipe.close();
    }
  }

  @Override
  public void run() {
    try {
      while (true) {
        long n = read();
        if (n <= 0 || !write(n)) {
          return;
        }
      }
    } finally {
      pipe.close();
      done.countDown();
    }
  }

  /** Some bytes, or not above 0 at the end. */
  private long read() {
    if (source == null) {
      return 0;
    }
    while (true) {
      long n = source.read(buffer, SIZE);
      if (n > 0) {
        anything = true;
        moved.addAndGet(n);
        return n;
      } else if (n == -Errno.EAGAIN) {
        // Inherited like that: the flag is shared with other processes, so it stays.
        Poll.readable(Deadline.FOREVER, source);
      } else if (n != -Errno.EINTR) {
        if (n < 0) {
          failure = "cannot read " + what + ": " + Errno.message((int) -n);
        }
        return n;
      }
    }
  }

  /** Writes all; false if nobody takes any more. */
  private boolean write(long length) {
    writing = true;
    try {
      for (long at = 0; sink != null && at < length; ) {
        long n = sink.write(buffer.address() + at, length - at);
        if (n >= 0) {
          at += n;
        } else if (n == -Errno.EAGAIN) {
          boolean ignored = Poll.writable(Deadline.FOREVER, sink);
        } else if (n != -Errno.EINTR) {
          if (!Copy.isUnread(sink, (int) -n)) {
            failure = "cannot write " + what + ": " + Errno.message((int) -n);
          }
          return false;
        }
      }
      return true;
    } finally {
      writing = false;
    }
  }

  @Override
  public void awaitEnd(int millis) throws InterruptedException {
    boolean ignored = done.await(millis, TimeUnit.MILLISECONDS);
  }

  @Override
  public boolean isDone() {
    return done.getCount() == 0;
  }

  @Override
  public boolean anything() {
    return anything;
  }

  @Override
  public long moved() {
    return moved.get();
  }

  @Override
  public boolean isWriting() {
    return writing;
  }

  @Override
  public @Nullable String failure() {
    return failure;
  }
}
