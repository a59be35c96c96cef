package qtfs.linux;

final class Jni {
  private Jni() {}

  static native long call(
      long function, long captured, long a, long b, long c, long d, long e, long f);

  static native long address(String name);
}
