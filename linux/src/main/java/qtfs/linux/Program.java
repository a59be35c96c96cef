package qtfs.linux;

/** What a program does from its arguments to its exit code. */
public interface Program {
  /** Its exit code. */
  int run() throws InterruptedException;

  /**
   * Runs a program and ends the process, also if the program breaks: other threads would keep a
   * process that nobody leads any more.
   *
   * @param broken the exit code then
   */
  static void main(Program program, int broken) {
    StrayOutput.intoLog();
    try {
      System.exit(program.run());
    } catch (InterruptedException | RuntimeException | Error e) {
      Log.error("broken: " + StrayOutput.text(e));
      System.exit(broken);
    }
  }
}
