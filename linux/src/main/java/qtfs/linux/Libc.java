package qtfs.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * The C library's functions, all called through one method handle of the shape {@code long f(long,
 * long, long, long, long, long)}.
 *
 * <p>One shape instead of one for each function, because the JVM generates the code of each
 * distinct shape at run time: nine shapes cost {@code rexec} 50 ms of start-up, one costs 15. Both
 * supported ABIs (System V x86-64, AAPCS64) pass the first six integers and pointers in registers
 * that the callee may ignore, also to variadic functions, so the wider call is harmless; what comes
 * back as {@code int} is narrowed by the caller.
 *
 * <p>Arguments are addresses and integers: whoever passes the address of a segment keeps its arena
 * open for the time of the call.
 */
@SuppressWarnings("restricted") // linking native functions is what this class is for
final class Libc {
  private static final Linker LINKER = Linker.nativeLinker();
  private static final SymbolLookup SYMBOLS = LINKER.defaultLookup();
  private static final StructLayout CAPTURE = Linker.Option.captureStateLayout();

  /** The only member that the structure has on Linux; a VarHandle made for it costs 5 ms. */
  private static final long ERRNO = 0;

  private static final MethodHandle CALL =
      LINKER.downcallHandle(
          FunctionDescriptor.of(
              JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
          Linker.Option.captureCallState("errno"));
  private static final ThreadLocal<MemorySegment> CAPTURED =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(CAPTURE));

  private Libc() {}

  /** The address of a function that every supported glibc has. */
  static MemorySegment function(String name) {
    return SYMBOLS.findOrThrow(name);
  }

  /**
   * The address of a function as a C program would find it, so that a library in LD_PRELOAD may
   * stand in for the kernel. {@link #function} cannot: the JVM looks in the C library itself.
   */
  static MemorySegment interposable(String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment captured = CAPTURED.get();
      MemorySegment dlsym = function("dlsym");
      long rtldDefault = 0; // dlfcn.h: the order of the dynamic linker
      long address =
          invoke(dlsym, captured, rtldDefault, cString(arena, name).address(), 0, 0, 0, 0);
      return address == 0 ? function(name) : MemorySegment.ofAddress(address);
    }
  }

  /** The address of a function that only newer glibc versions have. */
  static Optional<MemorySegment> optionalFunction(String name) {
    return SYMBOLS.find(name);
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
    return result == -1 ? -captured.get(JAVA_INT, ERRNO) : result;
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
    return result == -1 ? -captured.get(JAVA_INT, ERRNO) : result;
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
    try {
      return (long) CALL.invokeExact(function, captured, a, b, c, d, e, f);
    } catch (RuntimeException | Error unchecked) {
      throw unchecked;
    } catch (Throwable impossible) {
      throw new AssertionError(impossible);
    }
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
