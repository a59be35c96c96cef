package qtfs.linux;

import java.lang.foreign.MemorySegment;

/**
 * ioctl(2) on a device.
 *
 * <p>Returns what the kernel's side returned, which for some devices is a positive number for a
 * failure, or {@code -errno}. Blocks as long as the request does; a signal that a handler takes
 * ends it with {@code -EINTR}.
 */
public final class Ioctl {
  private static final MemorySegment IOCTL = Libc.interposable("ioctl");

  private Ioctl() {}

  /** With a number for an argument. */
  public static int byValue(Fd device, int request, long argument) {
    return Libc.call(IOCTL, device.number(), Integer.toUnsignedLong(request), argument);
  }

  /** With a structure that the kernel reads, fills or both; native memory. */
  public static int byPointer(Fd device, int request, MemorySegment argument) {
    return byValue(device, request, argument.address());
  }
}
