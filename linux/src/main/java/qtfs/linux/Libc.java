package qtfs.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * The C library's functions, all called through one shape, {@code long f(long, long, long, long,
 * long, long)}: by {@link NativeCall} where the image has its library, else by {@link LinkedCall}.
 *
 * <p>One shape instead of one for each function, because the JVM's linker generates the code of
 * each distinct shape at run time: nine shapes cost {@code rexec} 50 ms of start-up, one 20, and
 * none is needed by NativeCall. Both supported ABIs (System V x86-64, AAPCS64) pass the first six
 * integers and pointers in registers that the callee may ignore, also to variadic functions, so the
 * wider call is harmless; what comes back as {@code int} is narrowed by the caller.
 *
 * <p>Arguments are addresses and integers: whoever passes the address of a segment keeps its arena
 * open for the time of the call.
 */
final class Libc {
  private static final long RTLD_DEFAULT = 0; // dlfcn.h: the order of the dynamic linker

  private static final boolean NATIVE = NativeCall.load();
  private static final long LIBRARY = NATIVE ? NativeCall.library() : 0;

  private static final ThreadLocal<MemorySegment> CAPTURED =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(JAVA_INT));

  private Libc() {}

  /**
   * The address of a function that every supported glibc has.
   *
   * @throws UnsatisfiedLinkError when it is missing all the same
   */
  static MemorySegment function(String name) {
    return optionalFunction(name)
        .orElseThrow(() -> new UnsatisfiedLinkError("the C library has no function " + name));
  }

  /**
   * The address of a function as a C program would find it, so that a library in LD_PRELOAD may
   * stand in for the kernel. {@link #function} cannot: it looks in the C library itself.
   */
  static MemorySegment interposable(String name) {
    return search(RTLD_DEFAULT, name).orElseGet(() -> function(name));
  }

  /** The address of a function that only newer glibc versions have. */
  static Optional<MemorySegment> optionalFunction(String name) {
    return NATIVE ? search(LIBRARY, name) : LinkedCall.find(name);
  }

  private static Optional<MemorySegment> search(long handle, String name) {
    try (Arena arena = Arena.ofConfined()) {
      long found = cString(arena, name).address();
      long address = invoke(dlsym(), CAPTURED.get(), handle, found, 0, 0, 0, 0);
      return address == 0 ? Optional.empty() : Optional.of(MemorySegment.ofAddress(address));
    }
  }

  private static MemorySegment dlsym() {
    return NATIVE
        ? MemorySegment.ofAddress(NativeCall.dlsym())
        : LinkedCall.find("dlsym").orElseThrow();
  }

  /**
   * Calls a function that returns {@code int}, and -1 with errno on failure.
   *
   * @return its result, or {@code -errno}: the kernel's own convention, which needs no exception
   *     for EAGAIN on a hot path
   */
  static int call(MemorySegment function, long a, long b, long c, long d, long e, long f) {
    MemorySegment captured = CAPTURED.get();
    // The upper half of the register is undefined.
    int result = (int) invoke(function, captured, a, b, c, d, e, f);
    return result == -1 ? -captured.get(JAVA_INT, 0) : result;
  }

  static int call(MemorySegment function, long a) {
    return call(function, a, 0, 0, 0, 0, 0);
  }

  static int call(MemorySegment function, long a, long b) {
    return call(function, a, b, 0, 0, 0, 0);
  }

  static int call(MemorySegment function, long a, long b, long c) {
    return call(function, a, b, c, 0, 0, 0);
  }

  static int call(MemorySegment function, long a, long b, long c, long d) {
    return call(function, a, b, c, d, 0, 0);
  }

  /**
   * Calls a function that returns {@code ssize_t} or {@code off_t}; otherwise like {@link #call}.
   */
  static long callLong(MemorySegment function, long a, long b, long c) {
    MemorySegment captured = CAPTURED.get();
    long result = invoke(function, captured, a, b, c, 0, 0, 0);
    return result == -1 ? -captured.get(JAVA_INT, 0) : result;
  }

  /** Calls a function of the posix_spawn family, which returns 0 or an errno. */
  static int callReturningErrno(
      MemorySegment function, long a, long b, long c, long d, long e, long f) {
    return (int) invoke(function, CAPTURED.get(), a, b, c, d, e, f);
  }

  private static long invoke(
      MemorySegment function,
      MemorySegment captured,
      long a,
      long b,
      long c,
      long d,
      long e,
      long f) {
    return NATIVE
        ? NativeCall.call(function.address(), captured.address(), a, b, c, d, e, f)
        : LinkedCall.call(function, captured, a, b, c, d, e, f);
  }

  /** A NUL-terminated UTF-8 copy of a string. */
  static MemorySegment cString(Arena arena, String s) {
    if (s.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("NUL in \"" + s.replace("\0", "\\0") + "\"");
    }
    return arena.allocateFrom(s);
  }

  /** A NUL-terminated copy of a byte string, see {@link Spawn}. */
  static MemorySegment cBytes(Arena arena, String bytes) {
    if (bytes.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("NUL in \"" + bytes.replace("\0", "\\0") + "\"");
    }
    return arena.allocateFrom(bytes, StandardCharsets.ISO_8859_1);
  }

  /** A NULL-terminated array of NUL-terminated byte strings. */
  static MemorySegment cByteStrings(Arena arena, Iterable<String> strings, int count) {
    MemorySegment array = arena.allocate(MemoryLayout.sequenceLayout(count + 1L, JAVA_LONG));
    int i = 0;
    for (String s : strings) {
      array.setAtIndex(JAVA_LONG, i++, cBytes(arena, s).address());
    }
    return array;
  }
}
