package qtfs.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.BitSet;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import qtfs.linux.Poll;

/**
 * The descriptors of this process, as they were at a moment; those with a number below {@value
 * #NUMBERS}. One system call tells them, since a fuzzer asks twice for each of its inputs.
 */
public final class OpenDescriptors {
  private static final int NUMBERS = 512;
  private static final int POLLNVAL = 0x20; // asm-generic/poll.h

  private final BitSet numbers;

  private OpenDescriptors(BitSet numbers) {
    this.numbers = numbers;
  }

  public static OpenDescriptors now() {
    return new OpenDescriptors(open());
  }

  /** Those that are there now and were not then, but for the class path's. */
  public Set<Integer> more() {
    BitSet more = open();
    more.andNot(numbers);
    return more.stream()
        .filter(number -> !isTheJvms(number))
        .boxed()
        .collect(Collectors.toUnmodifiableSet());
  }

  /** Waits until there are none of these. */
  public void awaitNoMore() {
    Await.until("no descriptor more than before, " + numbers, () -> more().isEmpty());
  }

  private static BitSet open() {
    int[] events = Poll.readable(Duration.ZERO, IntStream.range(0, NUMBERS).toArray());
    BitSet open = new BitSet(NUMBERS);
    for (int number = 0; number < NUMBERS; number++) {
      open.set(number, (events[number] & POLLNVAL) == 0);
    }
    if (open.cardinality() == NUMBERS) {
      throw new AssertionError("no descriptor below " + NUMBERS + " is free, or ulimit -n is less");
    }
    return open;
  }

  /** Of the class path, kept open once read, or gone by now. */
  private static boolean isTheJvms(int number) {
    try {
      String file = Files.readSymbolicLink(Path.of("/proc/self/fd/" + number)).toString();
      return file.endsWith(".jar") || file.endsWith("random");
    } catch (IOException e) {
      return true;
    }
  }
}
