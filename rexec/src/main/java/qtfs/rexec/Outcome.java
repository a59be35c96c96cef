package qtfs.rexec;

/** What has become of a request; in audit lines and metrics in lower case with hyphens. */
enum Outcome {
  /** The program has run to its end. */
  ENDED,
  /** It was ended for the time that it took. */
  TIMED_OUT,
  /** It was ended because its client had gone. */
  ABANDONED,
  /** The client did not want it started any more. */
  CALLED_OFF,
  REFUSED,
  /** It could not be executed, or something else went wrong. */
  FAILED,
  EXPLAINED;

  String word() {
    return ServerMetrics.word(this);
  }
}
