package qtfs.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static qtfs.linux.LinuxException.check;

import java.io.Closeable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The signals that this process was started with blocked, to be taken one by one: signalfd(2). What
 * arrives before anybody takes it waits.
 *
 * <p>Only for a JVM that is started with its signals blocked and {@code -Xrs}: so all of its
 * threads have them blocked, its own included, which nothing can bring about later. {@code env
 * --block-signal} starts one like that. {@code _JAVA_SR_SIGNUM} moves the JVM away from SIGUSR2.
 */
public final class SignalQueue implements Closeable {
  private static final MemorySegment SIGNALFD = Libc.function("signalfd");
  private static final int INFO_SIZE = 128; // struct signalfd_siginfo, the number first

  private final Signals.Name[] signals;
  private final Fd fd;
  private final MemorySegment info = Arena.ofAuto().allocate(INFO_SIZE, 8);

  private SignalQueue(Signals.Name[] signals, Fd fd) {
    this.signals = signals;
    this.fd = fd;
  }

  /**
   * The queue of some signals, less those that are to be ignored.
   *
   * @return null if one of them is not blocked
   */
  public static @Nullable SignalQueue open(Signals.Name... signals) throws LinuxException {
    long blocked = Signals.blocked();
    long wanted = 0;
    for (Signals.Name signal : signals) {
      long bit = 1L << (signal.number() - 1);
      if ((blocked & bit) == 0) {
        return null;
      }
      wanted |= Signals.isIgnored(signal) ? 0 : bit;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment set = arena.allocate(Signals.SIGSET_SIZE, 8);
      set.set(JAVA_LONG, 0, wanted);
      int fd = check(Libc.call(SIGNALFD, -1, set.address(), Fd.O_CLOEXEC), "signalfd");
      return new SignalQueue(signals, Fd.own(fd));
    }
  }

  /** Waits for the next signal. For one thread. */
  public Signals.Name take() throws LinuxException {
    long n;
    do {
      n = fd.read(info, INFO_SIZE);
    } while (n == -Errno.EINTR);
    check(n, "read signals");
    int number = info.get(JAVA_INT, 0);
    for (Signals.Name signal : signals) {
      if (signal.number() == number) {
        return signal;
      }
    }
    throw new AssertionError("signal " + number);
  }

  @Override
  public void close() {
    fd.close();
  }
}
