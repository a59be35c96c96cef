package qtfs.qtcfg;

/** Exit codes of the modern face: sysexits.h, and 1 as in diff(1) and grep(1) for a plain no. */
final class ExitCode {
  static final int OK = 0;

  /** The answer is no: lists differ, nothing allows it. */
  static final int NO = 1;

  static final int USAGE = 64;

  /** A file is wrong. */
  static final int DATA = 65;

  static final int NO_INPUT = 66;

  /** No device, or nobody listens on the proxy's socket. */
  static final int UNAVAILABLE = 69;

  static final int SOFTWARE = 70;
  static final int CANNOT_CREATE = 73;
  static final int IO_ERROR = 74;

  /** Try again: somebody else is changing the lists. */
  static final int TEMPORARY = 75;

  /** The module says no, or is of another version. */
  static final int PROTOCOL = 76;

  static final int NO_PERMISSION = 77;
  static final int CONFIGURATION = 78;

  private ExitCode() {}
}
