package qtfs.qtcfg;

/** A command that cannot be done: why, in a line for the operator, and the exit code. */
final class ToolException extends Exception {
  private static final long serialVersionUID = 1L;

  private final int exitCode;

  ToolException(int exitCode, String message) {
    super(message);
    this.exitCode = exitCode;
  }

  /** One of {@link ExitCode}. */
  int exitCode() {
    return exitCode;
  }
}
