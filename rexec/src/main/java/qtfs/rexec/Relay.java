package qtfs.rexec;

import java.io.Closeable;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.Poll;
import qtfs.linux.PollSet;

/** A copy that moves bytes whenever its call's loop turns. One thread; owns the pipe. */
final class Relay implements Copy, Closeable {
  static final int SIZE = 65536; // a pipe's own buffer

  /** After so much the others have their turn. */
  private static final int ROUNDS = 16;

  private final CallLoop loop;
  private final String what;
  private final @Nullable CallerStream stream;
  private final Fd pipe;
  private final boolean toProgram;
  private @Nullable MemorySegment buffer;
  private long at;
  private long pending;
  private long moved;
  private boolean started;
  private int polled = NOT_POLLED;
  private @Nullable String failure;

  private static final int NOT_POLLED = -1;

  /**
   * A copy between a program and its caller.
   *
   * @param stream the caller's, null if closed
   * @param pipe to or from the program, not blocking
   */
  Relay(CallLoop loop, String what, @Nullable CallerStream stream, Fd pipe, boolean toProgram) {
    this.loop = loop;
    this.what = what;
    this.stream = stream;
    this.pipe = pipe;
    this.toProgram = toProgram;
  }

  @Override
  public void start() {
    started = true;
    if (toProgram && stream == null) {
      close();
    }
  }

  @Override
  public void abandon() {
    if (!started) {
      close();
    }
  }

  /** Says what it waits for, if it does. */
  void addTo(PollSet set) {
    polled = NOT_POLLED;
    if (started && !isDone()) {
      boolean pipes = toProgram == isWriting();
      Fd fd = pipes || stream == null ? pipe : stream.fd();
      polled = set.add(fd, isWriting() ? Poll.OUT : Poll.IN);
    }
  }

  /** Moves what can be moved. */
  void turn(PollSet set) {
    if (polled == NOT_POLLED || set.events(polled) == 0) {
      return;
    }
    for (int i = 0; i < ROUNDS; i++) {
      if (!(isWriting() ? write() : read())) {
        return;
      }
    }
  }

  /** False when it has to wait, or is over. */
  private boolean read() {
    MemorySegment to = buffer();
    long n =
        toProgram && stream != null
            ? stream.read(to.address(), SIZE)
            : pipe.read(to.address(), SIZE);
    if (n > 0) {
      at = 0;
      pending = n;
      moved += n;
      return true;
    } else if (n < 0 && n != -Errno.EAGAIN && n != -Errno.EINTR) {
      failure = "cannot read " + what + ": " + Errno.message((int) -n);
    }
    if (n == 0 || failure != null) {
      close();
    }
    return false;
  }

  /** The same. */
  private boolean write() {
    long address = buffer().address() + at;
    long n = toProgram ? pipe.write(address, pending) : writeBack(address);
    if (n >= 0) {
      at += n;
      pending -= n;
      return true;
    } else if (n != -Errno.EAGAIN && n != -Errno.EINTR) {
      if (!Copy.isUnread(toProgram || stream == null ? pipe : stream.fd(), (int) -n)) {
        failure = "cannot write " + what + ": " + Errno.message((int) -n);
      }
      close();
    }
    return false;
  }

  private long writeBack(long address) {
    return stream == null ? pending : stream.write(address, pending);
  }

  private MemorySegment buffer() {
    if (buffer == null) {
      buffer = loop.allocate(SIZE);
    }
    return buffer;
  }

  @Override
  public void awaitEnd(int millis) {
    loop.turnUntilEnd(this, millis);
  }

  @Override
  public boolean isDone() {
    return !pipe.isOpen();
  }

  @Override
  public boolean anything() {
    return moved > 0;
  }

  @Override
  public long moved() {
    return moved;
  }

  @Override
  public boolean isWriting() {
    return pending > 0;
  }

  @Override
  public @Nullable String failure() {
    return failure;
  }

  @Override
  public void close() {
    pending = 0;
    pipe.close();
  }
}
