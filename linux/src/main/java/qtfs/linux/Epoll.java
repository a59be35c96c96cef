package qtfs.linux;

import static qtfs.linux.LinuxException.check;

import java.lang.foreign.MemorySegment;

/** epoll(7) instances, for those who are given one and do not wait on it in Java. */
public final class Epoll {
  private static final MemorySegment EPOLL_CREATE1 = Libc.function("epoll_create1");

  private Epoll() {}

  /** A new instance that watches nothing, close-on-exec; the caller owns it. */
  public static Fd open() throws LinuxException {
    return Fd.own(check(Libc.call(EPOLL_CREATE1, Fd.O_CLOEXEC), "epoll_create1"));
  }
}
