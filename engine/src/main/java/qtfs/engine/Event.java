package qtfs.engine;

/** What the running engine reacts to. */
sealed interface Event {
  /** Somebody wants it to end. */
  record Stop(String signal) implements Event {}

  /** The whitelist file has changed. */
  record Reload() implements Event {}

  /** It cannot go on. */
  record Failed(String reason) implements Event {}
}
