package qtfs.rexec;

/**
 * The end of a call whose caller has ended, or is to end by a signal, which may come wherever the
 * call waits. Only in the agent: rexec itself just exits.
 */
final class CallOver extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Nobody is left to be told. */
  static final int GONE = -1;

  private final int code;

  CallOver(int code) {
    super(null, null, false, false);
    this.code = code;
  }

  /** What the caller exits with, {@value #GONE} if it has gone already. */
  int code() {
    return code;
  }
}
