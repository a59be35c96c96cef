package qtfs.linux;

import org.jspecify.annotations.Nullable;

/** Where the classes of this process come from. */
public final class ClassPath {
  private ClassPath() {}

  /**
   * Opens every jar of the class path, which the JVM then keeps open. Otherwise it opens one when
   * the first class of it is needed, and a process that is out of descriptors by then never gets
   * that class: the JVM does not try again. Any thread, once, at the start of what must go on
   * without descriptors.
   */
  public static void openJars() {
    // What is in none of them is looked for in all of them.
    Object nowhere = ClassLoader.getSystemResource("qtfs/linux/no-such-resource");
    requireAbsent(nowhere);
  }

  private static void requireAbsent(@Nullable Object found) {
    if (found != null) {
      throw new IllegalStateException(found + " is on the class path");
    }
  }
}
