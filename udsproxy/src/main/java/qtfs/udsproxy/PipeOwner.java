package qtfs.udsproxy;

/**
 * The session that a pipe was passed through. A pipe cannot say that it has failed, only that it
 * has ended, and whoever reads it would take what is missing for the end: so the session fails with
 * it.
 */
interface PipeOwner {
  /** Called on any loop's thread, at any time, also after the session. */
  void pipeFailed(String reason);
}
