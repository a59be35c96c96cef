package qtfs.linux;

/** How a process ended. */
public sealed interface ExitStatus {
  /** By exit(2). */
  record Exited(int code) implements ExitStatus {}

  /** By a signal. */
  record Killed(int signal) implements ExitStatus {}

  /** What a shell would put into {@code $?}: the code, or 128 + the signal. */
  default int shellCode() {
    return switch (this) {
      case Exited(int code) -> code;
      case Killed(int signal) -> 128 + signal;
    };
  }
}
