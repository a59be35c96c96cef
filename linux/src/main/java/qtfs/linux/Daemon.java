package qtfs.linux;

/**
 * A program that serves until it is told to stop, as its {@link DaemonRunner} sees it. All methods
 * are called on the runner's thread.
 */
public interface Daemon {
  /** What it is doing, in a line. */
  String status();

  /** Reads its files again; of one that is broken it keeps what it had, and says so in the log. */
  void reload();

  /**
   * Whether everything in it that must not hang has moved since it was last asked; does not block.
   */
  boolean isAlive();

  /** Takes no new work from now on; what is under way goes on. */
  void drain();

  /** How many pieces of work are under way. */
  int workLeft();

  /** Ends what is left; within seconds. */
  void stop() throws InterruptedException;
}
