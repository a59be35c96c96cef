package qtfs.rexec;

/** A key of rexec_server.conf whose bound may take effect; in metrics as {@link Refusal}. */
enum Limit {
  PROGRAMS,
  PROGRAMS_PER_USER,
  REQUEST_BYTES,
  KILL_GRACE
}
