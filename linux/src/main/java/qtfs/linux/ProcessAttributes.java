package qtfs.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static qtfs.linux.LinuxException.check;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** What belongs to this process as a whole: mask, limits, name, number. */
public final class ProcessAttributes {
  private static final MemorySegment UMASK = Libc.function("umask");
  private static final MemorySegment GETPID = Libc.function("getpid");
  private static final MemorySegment GETUID = Libc.function("geteuid");
  private static final MemorySegment GETGID = Libc.function("getegid");
  private static final MemorySegment GETRLIMIT = Libc.function("getrlimit");
  private static final MemorySegment SETRLIMIT = Libc.function("setrlimit");
  private static final MemorySegment EXIT = Libc.function("_exit");
  private static final int COMM_LENGTH = 16; // TASK_COMM_LEN, linux/sched.h
  private static final int RLIMIT_NOFILE = 7; // asm-generic/resource.h

  private ProcessAttributes() {}

  /** Sets the file mode mask of the process, all its threads, and returns the previous one. */
  public static int umask(int mask) {
    return Libc.call(UMASK, mask);
  }

  public static int pid() {
    return Libc.call(GETPID, 0);
  }

  /** The effective user. */
  public static int uid() {
    return Libc.call(GETUID, 0);
  }

  /** The effective group. */
  public static int gid() {
    return Libc.call(GETGID, 0);
  }

  /**
   * Raises the limit of open files, never lowers it; without the right to raise the hard limit, as
   * far as that goes.
   *
   * @return the limit in force afterwards
   */
  public static long raiseOpenFiles(long wanted) throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment limit = arena.allocate(16, 8); // struct rlimit: u64 cur, max
      check(Libc.call(GETRLIMIT, RLIMIT_NOFILE, limit.address()), "getrlimit");
      long current = limit.get(JAVA_LONG, 0);
      long hard = limit.get(JAVA_LONG, 8);
      if (Long.compareUnsigned(current, wanted) >= 0) {
        return current;
      }
      long newHard = Long.compareUnsigned(hard, wanted) < 0 ? wanted : hard;
      limit.set(JAVA_LONG, 0, wanted);
      limit.set(JAVA_LONG, 8, newHard);
      if (Libc.call(SETRLIMIT, RLIMIT_NOFILE, limit.address()) == 0) {
        return wanted;
      }
      limit.set(JAVA_LONG, 0, hard);
      limit.set(JAVA_LONG, 8, hard);
      check(Libc.call(SETRLIMIT, RLIMIT_NOFILE, limit.address()), "setrlimit");
      return hard;
    }
  }

  /**
   * Ends the process at once, with all that its threads have under way in the kernel. {@link
   * System#exit} waits 0.3 s for threads in native code first.
   */
  public static void exitNow(int code) {
    int ignored = Libc.call(EXIT, code);
  }

  /** What a process calls itself, {@code /proc/PID/comm}: at most 15 bytes of any kind. */
  public static byte[] commandOf(int pid) throws LinuxException {
    String path = "/proc/" + pid + "/comm";
    try (Fd comm = Fd.open(path, Fd.O_RDONLY, 0);
        Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocate(COMM_LENGTH);
      int length = check((int) comm.read(text, COMM_LENGTH), "read " + path);
      return text.asSlice(0, Math.max(0, length - 1)).toArray(JAVA_BYTE); // without the line's end
    }
  }

  /**
   * Names the process: what {@code ps} and {@code pidof} show instead of {@code java}. At most 15
   * bytes.
   */
  public static void name(String name) throws LinuxException {
    byte[] bytes = name.getBytes(US_ASCII);
    try (Fd comm = Fd.open("/proc/self/comm", Fd.O_WRONLY, 0);
        Arena arena = Arena.ofConfined()) {
      check(comm.write(arena.allocateFrom(JAVA_BYTE, bytes), bytes.length), "name " + name);
    }
  }
}
