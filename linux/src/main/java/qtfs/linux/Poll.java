package qtfs.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/** poll(2) on a handful of descriptors, for the programs that need no event loop. */
public final class Poll {
  public static final int IN = 1;
  public static final int OUT = 4;
  public static final int ERR = 8;
  public static final int HUP = 16;

  private static final MemorySegment POLL = Libc.function("poll");

  private Poll() {}

  /**
   * Waits until one of the descriptors is readable, closed or broken.
   *
   * @param timeout negative to wait for ever; rounded up to a millisecond
   * @return for each descriptor its events, all 0 after the timeout
   */
  public static int[] readable(Duration timeout, Fd... fds) {
    int[] numbers = new int[fds.length];
    for (int i = 0; i < fds.length; i++) {
      numbers[i] = fds[i].number();
    }
    return readable(timeout, numbers);
  }

  /** The same for descriptors that this process holds but no {@link Fd} owns. */
  public static int[] readable(Duration timeout, int... numbers) {
    return await(IN, timeout, numbers);
  }

  /**
   * Waits until a descriptor takes bytes or is broken.
   *
   * @param timeout negative to wait for ever; rounded up to a millisecond
   * @return false after the timeout
   */
  public static boolean writable(Duration timeout, Fd fd) {
    return await(OUT, timeout, fd.number())[0] != 0;
  }

  private static int[] await(int wanted, Duration timeout, int... fds) {
    try (Arena arena = Arena.ofConfined()) {
      // struct pollfd: i32 fd, i16 events, i16 revents
      MemorySegment set = arena.allocate(8L * fds.length, 4);
      for (int i = 0; i < fds.length; i++) {
        set.set(JAVA_INT, 8L * i, fds[i]);
        set.set(JAVA_SHORT, 8L * i + 4, (short) wanted);
      }
      int result = await(set, fds.length, timeout);
      int[] events = new int[fds.length];
      for (int i = 0; result > 0 && i < fds.length; i++) {
        events[i] = set.get(JAVA_SHORT, 8L * i + 6);
      }
      return events;
    }
  }

  /** Waits for a set of {@code struct pollfd}; how many of them have events. */
  static int await(MemorySegment set, int size, Duration timeout) {
    long deadline = timeout.isNegative() ? Long.MAX_VALUE : System.nanoTime() + timeout.toNanos();
    int result;
    do {
      result = Libc.call(POLL, set.address(), size, millisUntil(deadline));
    } while (result == -Errno.EINTR);
    return result;
  }

  private static int millisUntil(long deadline) {
    if (deadline == Long.MAX_VALUE) {
      return -1;
    }
    long nanos = Math.max(0, deadline - System.nanoTime());
    return (int) Math.min(Integer.MAX_VALUE, (nanos + 999_999) / 1_000_000);
  }
}
