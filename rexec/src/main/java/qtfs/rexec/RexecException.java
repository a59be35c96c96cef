package qtfs.rexec;

/** The end of a call of rexec for another reason than the program's end: one line, and the code. */
final class RexecException extends Exception {
  private static final long serialVersionUID = 1L;

  private final int exitCode;

  RexecException(int exitCode, String message) {
    super(message);
    this.exitCode = exitCode;
  }

  /** One of {@link ExitCode}. */
  int exitCode() {
    return exitCode;
  }
}
