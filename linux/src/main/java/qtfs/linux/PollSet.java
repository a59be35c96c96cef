package qtfs.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.Closeable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/**
 * A set of descriptors for poll(2) that is put together anew before each wait. One thread; the
 * descriptors stay the caller's.
 */
public final class PollSet implements Closeable {
  private static final int ENTRY = 8; // struct pollfd: i32 fd, i16 events, i16 revents

  private final Arena arena = Arena.ofConfined();
  private final MemorySegment entries;
  private int size;

  /**
   * An empty set.
   *
   * @param most descriptors that it ever holds
   */
  public PollSet(int most) {
    entries = arena.allocate((long) ENTRY * most, 4);
  }

  public void clear() {
    size = 0;
  }

  /**
   * Adds a descriptor.
   *
   * @param events {@link Poll#IN}, {@link Poll#OUT}
   * @return where {@link #events} finds what has happened to it
   */
  public int add(Fd fd, int events) {
    long at = (long) ENTRY * size;
    entries.set(JAVA_INT, at, fd.number());
    entries.set(JAVA_SHORT, at + 4, (short) events);
    entries.set(JAVA_SHORT, at + 6, (short) 0);
    return size++;
  }

  /**
   * Waits until something happens to one of them.
   *
   * @param timeout negative to wait for ever; rounded up to a millisecond
   */
  public void await(Duration timeout) {
    Poll.await(entries, size, timeout);
  }

  /** What has happened to a descriptor, 0 for nothing. */
  public int events(int index) {
    return entries.get(JAVA_SHORT, (long) ENTRY * index + 6);
  }

  @Override
  public void close() {
    arena.close();
  }
}
