package qtfs.rexec;

/** The two streams that come back. */
final class Outputs {
  /** Counted in turns of the clock, so that the silence of a machine that stands still is none. */
  private static final int TURN_MILLIS = 100;

  private final Copy stdout;
  private final Copy stderr;

  Outputs(Copy stdout, Copy stderr) {
    this.stdout = stdout;
    this.stderr = stderr;
  }

  void start() {
    stdout.start();
    stderr.start();
  }

  boolean areDone() {
    return stdout.isDone() && stderr.isDone();
  }

  boolean anyError() {
    return stderr.anything();
  }

  /**
   * Waits until both have ended, or have been silent for some time; tells which.
   *
   * @param silenceMillis negative to wait for their end however long it takes
   */
  boolean drain(int silenceMillis) {
    int silentTurns = 0;
    long moved = moved();
    while (!areDone()) {
      if (silenceMillis >= 0 && silentTurns >= silenceMillis / TURN_MILLIS) {
        return false;
      }
      try {
        Copy waitFor = stdout.isDone() ? stderr : stdout;
        waitFor.awaitEnd(TURN_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
      long movedNow = moved();
      boolean silent = movedNow == moved && !stdout.isWriting() && !stderr.isWriting();
      silentTurns = silent ? silentTurns + 1 : 0;
      moved = movedNow;
    }
    return true;
  }

  private long moved() {
    return stdout.moved() + stderr.moved();
  }
}
