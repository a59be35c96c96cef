package qtfs.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static qtfs.linux.LinuxException.check;

import java.io.Closeable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * An open file descriptor and the duty to close it.
 *
 * <p>One object owns one descriptor, and whoever holds the object either closes it or hands it on;
 * a method that takes a descriptor over says so. Closing twice is harmless, so that every path
 * which drops a message may close what it carried. A closed {@code Fd} never reaches a system call:
 * its number may belong to somebody else by then.
 *
 * <p>Every descriptor made here is close-on-exec. Closing is safe from any thread; reading and
 * writing while another thread closes is the caller's race to avoid.
 */
public final class Fd implements Closeable {
  private static final MemorySegment CLOSE = Libc.function("close");
  private static final MemorySegment DUP = Libc.function("fcntl");
  private static final MemorySegment OPEN = Libc.interposable("open");
  private static final MemorySegment SYSCALL = Libc.function("syscall");
  private static final MemorySegment READ = Libc.function("read");
  private static final MemorySegment WRITE = Libc.function("write");
  private static final MemorySegment LSEEK = Libc.function("lseek");
  private static final int OPENAT2 = 437; // asm-generic/unistd.h; glibc has no function for it
  private static final int AT_FDCWD = -100; // linux/fcntl.h
  private static final int RESOLVE_CACHED = 0x20; // linux/openat2.h
  private static final int OPEN_HOW_SIZE = 24; // struct open_how: u64 flags, mode, resolve
  private static final int F_DUPFD_CLOEXEC = 1030; // linux/fcntl.h

  // open(2) flags, asm-generic/fcntl.h; the same on x86-64 and aarch64 but for those named below
  public static final int O_RDONLY = 0;
  public static final int O_WRONLY = 1;
  public static final int O_RDWR = 2;
  public static final int O_ACCMODE = 3;
  public static final int O_CREAT = 0x40;
  public static final int O_EXCL = 0x80;
  public static final int O_NOCTTY = 0x100;
  public static final int O_TRUNC = 0x200;
  public static final int O_APPEND = 0x400;
  public static final int O_NONBLOCK = 0x800;
  public static final int O_DSYNC = 0x1000;
  public static final int O_SYNC = 0x101000;
  public static final int O_CLOEXEC = 0x80000;
  public static final int O_PATH = 0x200000;

  private static final int CLOSED = -1;

  private final AtomicInteger number;

  private Fd(int number) {
    this.number = new AtomicInteger(number);
  }

  /** Takes over a descriptor that nobody else owns. */
  public static Fd own(int number) {
    if (number < 0) {
      throw new IllegalArgumentException("file descriptor " + number);
    }
    return new Fd(number);
  }

  /**
   * Opens a file, close-on-exec.
   *
   * @param flags of open(2), without O_CREAT
   */
  public static Fd open(Path path, int flags) throws LinuxException {
    return open(path.toString(), flags, 0);
  }

  /**
   * Opens a file, close-on-exec.
   *
   * @param flags of open(2)
   * @param mode permission bits of a file that O_CREAT makes, cut by the umask
   */
  public static Fd open(String path, int flags, int mode) throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = Libc.cString(arena, path);
      return own(check(Libc.call(OPEN, name.address(), flags | O_CLOEXEC, mode), "open " + path));
    }
  }

  /**
   * Opens a file with O_PATH, close-on-exec, if the kernel has its name and all those before it in
   * its cache: so this waits for no file system.
   *
   * @return null if it cannot be had in this way, for whatever reason, an older kernel too
   */
  public static @Nullable Fd openCached(String path) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = Libc.cString(arena, path);
      MemorySegment how = arena.allocate(OPEN_HOW_SIZE, 8);
      how.set(JAVA_LONG, 0, O_PATH | O_CLOEXEC);
      how.set(JAVA_LONG, 16, RESOLVE_CACHED);
      int opened =
          Libc.call(SYSCALL, OPENAT2, AT_FDCWD, name.address(), how.address(), OPEN_HOW_SIZE, 0);
      return opened < 0 ? null : own(opened);
    }
  }

  /** The number, for as long as this object is open. */
  public int number() {
    int n = number.get();
    if (n == CLOSED) {
      throw new IllegalStateException("file descriptor used after close");
    }
    return n;
  }

  public boolean isOpen() {
    return number.get() != CLOSED;
  }

  /** Another descriptor of the same open file, owned by the caller. */
  public Fd duplicate() throws LinuxException {
    return duplicateFrom(0);
  }

  /** Another descriptor of the same open file, numbered {@code lowest} or more. */
  public Fd duplicateFrom(int lowest) throws LinuxException {
    return own(check(Libc.call(DUP, number(), F_DUPFD_CLOEXEC, lowest), "dup " + this));
  }

  /**
   * A second open file description of the same pipe, FIFO or file, with flags of its own: what it
   * is told (say, O_NONBLOCK) stays unknown to everybody who shares this one.
   */
  public Fd reopen(int flags) throws LinuxException {
    return open(procPath(), flags, 0);
  }

  /**
   * The name under which this process reaches the open file itself, whatever its path has become.
   */
  public String procPath() {
    return "/proc/self/fd/" + number();
  }

  /** Reads up to {@code length} bytes; 0 at the end, or {@code -errno}. */
  public long read(MemorySegment to, long length) {
    return Libc.callLong(READ, number(), to.address(), length);
  }

  /** Reads up to {@code length} bytes to a native address; 0 at the end, or {@code -errno}. */
  public long read(long address, long length) {
    return Libc.callLong(READ, number(), address, length);
  }

  /** Writes up to {@code length} bytes; the count, or {@code -errno}. */
  public long write(MemorySegment from, long length) {
    return Libc.callLong(WRITE, number(), from.address(), length);
  }

  /** Writes up to {@code length} bytes from a native address; the count, or {@code -errno}. */
  public long write(long address, long length) {
    return Libc.callLong(WRITE, number(), address, length);
  }

  /** The position in a file, in bytes from its start. */
  public long position() throws LinuxException {
    return check(Libc.callLong(LSEEK, number(), 0, 1 /* SEEK_CUR */), "lseek " + this);
  }

  /** Moves the position in a file. */
  public void position(long offset) throws LinuxException {
    check(Libc.callLong(LSEEK, number(), offset, 0 /* SEEK_SET */), "lseek " + this);
  }

  /**
   * Hands the descriptor on to somebody who closes it by its number; this object counts as closed.
   */
  public int release() {
    int n = number.getAndSet(CLOSED);
    if (n == CLOSED) {
      throw new IllegalStateException("file descriptor handed on after close");
    }
    return n;
  }

  @Override
  public void close() {
    int n = number.getAndSet(CLOSED);
    if (n != CLOSED) {
      // Not retried on EINTR: Linux has released the number by then. Errors of delayed writes
      // belong
      // to the process that wrote, and it has its own descriptor.
      int ignored = Libc.call(CLOSE, n);
    }
  }

  /** Closes each, also when a list holds some that are closed already. */
  public static void closeAll(Iterable<Fd> fds) {
    fds.forEach(Fd::close);
  }

  @Override
  public String toString() {
    int n = number.get();
    return n == CLOSED ? "closed fd" : "fd " + n;
  }
}
