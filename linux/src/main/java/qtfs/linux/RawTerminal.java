package qtfs.linux;

import static qtfs.linux.LinuxException.check;

import java.io.Closeable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A terminal that hands every key on as it is, for a terminal elsewhere to make sense of. Closing
 * gives it its former modes back: for good, from any thread. Who is killed by SIGKILL leaves it
 * raw.
 */
public final class RawTerminal implements Closeable {
  private static final MemorySegment TCGETATTR = Libc.function("tcgetattr");
  private static final MemorySegment TCSETATTR = Libc.function("tcsetattr");
  private static final MemorySegment CFMAKERAW = Libc.function("cfmakeraw");
  private static final int TERMIOS_SIZE = 60; // glibc, x86-64 and aarch64
  private static final int TCSADRAIN = 1;

  private final Fd terminal;
  private final MemorySegment former = Arena.ofAuto().allocate(TERMIOS_SIZE, 8);
  private final MemorySegment raw = Arena.ofAuto().allocate(TERMIOS_SIZE, 8);
  private boolean closed;

  /** Makes a terminal raw, which stays the caller's and open. */
  public RawTerminal(Fd terminal) throws LinuxException {
    this.terminal = terminal;
    check(Libc.call(TCGETATTR, terminal.number(), former.address()), "tcgetattr " + terminal);
    raw.copyFrom(former);
    int ignored = Libc.call(CFMAKERAW, raw.address());
    set(raw);
  }

  private void set(MemorySegment modes) {
    // A terminal that has hung up does not mind.
    int ignored = Libc.call(TCSETATTR, terminal.number(), TCSADRAIN, modes.address());
  }

  /** Makes it raw once more: a shell gives it its own modes while this process is stopped. */
  public synchronized void again() {
    if (!closed) {
      set(raw);
    }
  }

  /** Its size as of now. */
  public Terminal.Size size() {
    return Terminal.size(terminal);
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      set(former);
    }
  }
}
