package qtfs.testing;

import org.opentest4j.TestAbortedException;

/** Leaving a test out, aloud: the log of the build says why, and what to do. */
public final class Skip {
  private Skip() {}

  public static void unless(boolean possible, String reason) {
    if (!possible) {
      throw because(reason);
    }
  }

  /** To be thrown. */
  public static TestAbortedException because(String reason) {
    System.err.println("SKIPPED: " + reason);
    return new TestAbortedException(reason);
  }
}
