package qtfs.linux;

/**
 * Calls functions of the C library by a library of our own, {@code libqtfscall.so}, which has
 * nothing to generate when a program starts. It is part of an image that was built where there was
 * a C compiler.
 *
 * <p>Its functions check nothing: an address that is none ends the JVM.
 */
final class NativeCall {
  private NativeCall() {}

  /** Loads the library from {@code java.library.path}: false where it is not. */
  @SuppressWarnings("restricted") // native code is what this class is for
  static boolean load() {
    try {
      System.loadLibrary("qtfscall");
      return true;
    } catch (UnsatisfiedLinkError _) {
      return false;
    }
  }

  /**
   * Calls a function.
   *
   * @param function its address
   * @param error the address of an {@code int} in which errno is left
   */
  static native long call(
      long function, long error, long a, long b, long c, long d, long e, long f);

  /** The address of dlsym(3). */
  static native long dlsym();

  /** The C library's handle for dlsym(3), which no library in LD_PRELOAD is part of. */
  static native long library();
}
