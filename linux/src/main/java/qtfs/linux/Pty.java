package qtfs.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static qtfs.linux.LinuxException.check;

import java.io.Closeable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A terminal that a program of ours plays the user of: pty(7). Owns its master, which does not
 * block; closing it hangs the terminal up.
 *
 * @param master what the user types goes in, what he sees comes out; -EIO once nobody has the
 *     terminal open any more
 * @param path of the terminal itself
 */
public record Pty(Fd master, String path) implements Closeable {
  // asm-generic/ioctls.h
  private static final int TIOCGPTN = 0x80045430;
  private static final int TIOCSPTLCK = 0x40045431;
  static final int O_NOCTTY = 0x100; // asm-generic/fcntl.h

  /** A new terminal that nobody has open. */
  public static Pty open(Terminal.Size size) throws LinuxException {
    Fd master = Fd.open("/dev/ptmx", Fd.O_RDWR | O_NOCTTY | Fd.O_NONBLOCK, 0);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment number = arena.allocate(JAVA_INT);
      check(Ioctl.byPointer(master, TIOCSPTLCK, number), "unlock a pty");
      check(Ioctl.byPointer(master, TIOCGPTN, number), "number of a pty");
      Terminal.resize(master, size);
      return new Pty(master, "/dev/pts/" + number.get(JAVA_INT, 0));
    } catch (LinuxException e) {
      master.close();
      throw e;
    }
  }

  @Override
  public void close() {
    master.close();
  }
}
