package qtfs.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * Calls functions of the C library by the JVM's own linker, which works everywhere, but costs each
 * start of a program some 20 ms.
 */
@SuppressWarnings("restricted") // linking native functions is what this class is for
final class LinkedCall {
  private static final Linker LINKER = Linker.nativeLinker();
  private static final SymbolLookup SYMBOLS = LINKER.defaultLookup();
  private static final MethodHandle CALL =
      LINKER.downcallHandle(
          FunctionDescriptor.of(
              JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
          Linker.Option.captureCallState("errno"));

  private LinkedCall() {}

  /** The address of a function of the C library, however a library in LD_PRELOAD calls its own. */
  static Optional<MemorySegment> find(String name) {
    return SYMBOLS.find(name);
  }

  /**
   * Calls a function.
   *
   * @param error where errno is left, as an {@code int}: the only member that the captured state
   *     has on Linux
   */
  static long call(
      MemorySegment function, MemorySegment error, long a, long b, long c, long d, long e, long f) {
    try {
      return (long) CALL.invokeExact(function, error, a, b, c, d, e, f);
    } catch (RuntimeException | Error unchecked) {
      throw unchecked;
    } catch (Throwable impossible) {
      throw new AssertionError(impossible);
    }
  }
}
