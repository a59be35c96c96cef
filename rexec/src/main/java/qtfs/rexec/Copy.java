package qtfs.rexec;

import org.jspecify.annotations.Nullable;

/**
 * Bytes on their way from one descriptor to another until the source ends or the sink breaks. Then
 * the one of the two that is a pipe to the program is closed: so its end travels on.
 */
interface Copy {
  /** Begins; once. */
  void start();

  /** Lets go of the pipe, if it has not begun and is not going to. */
  void abandon();

  /** Waits for its end, but not for ever. */
  void awaitEnd(int millis) throws InterruptedException;

  boolean isDone();

  /** Whether any byte came. */
  boolean anything();

  /** How many bytes have been read. */
  long moved();

  /** Whether it waits for somebody to take bytes. */
  boolean isWriting();

  /** Why it ended early, null unless that is worth a line. */
  @Nullable String failure();
}
