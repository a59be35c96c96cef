package qtfs.udsproxy;

import java.util.Locale;

/** A bound that the proxy keeps, each with an option, a default in {@link Limits} and a counter. */
enum Limit {
  MAX_SESSIONS,
  MAX_SESSIONS_PER_PEER,
  HANDSHAKE_TIMEOUT,
  PAIRING_TIMEOUT,
  IDLE_TIMEOUT,
  LINK_TIMEOUT,
  MAX_BUFFERED,
  MAX_BUFFERED_TOTAL;

  /** As it stands in metrics: the option's name without its hyphens before it. */
  String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** The option that sets it. */
  String option() {
    return "--" + word();
  }
}
