package qtfs.rexec;

import qtfs.linux.Errno;

/** The exit codes that are not the program's own, as in env(1), nohup(1) and the shells. */
final class ExitCode {
  /** The program took longer than it was given. */
  static final int TIMED_OUT = 124;

  /** rexec itself failed, or the link to the program was lost. */
  static final int OWN_FAILURE = 125;

  /** The program was refused, or cannot be executed. */
  static final int CANNOT_EXECUTE = 126;

  static final int NOT_FOUND = 127;

  /** The environment or the server's files are wrong: what the C programs exit with. */
  static final int CONFIGURATION = 255;

  private ExitCode() {}

  /** For a failed exec. */
  static int ofExecErrno(int errno) {
    return errno == Errno.ENOENT || errno == Errno.ENOTDIR ? NOT_FOUND : CANNOT_EXECUTE;
  }
}
