package qtfs.rexec;

/** The kinds of reasons for a refusal, as they stand in metrics, in lower case with hyphens. */
enum Refusal {
  NOT_IN_WHITELIST,
  FITS_NO_RULE,
  USER,
  VARIABLE,
  NICE,
  REQUEST_BYTES,
  PROGRAMS_PER_USER
}
