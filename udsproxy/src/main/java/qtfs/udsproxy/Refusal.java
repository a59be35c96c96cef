package qtfs.udsproxy;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Why a session did not come about: the word for it in audit lines and metrics. */
enum Refusal {
  /** The whitelist does not allow it. */
  NOT_ALLOWED,
  /** Nothing accepts there. */
  NO_TARGET,
  /** A kind of socket that is not carried. */
  UNSUPPORTED,
  /** What came is no request. */
  BAD_REQUEST,
  /** The peer said no. */
  PEER_REFUSED,
  PEER_UNREACHABLE,
  /** The connection between the proxies ended before there was an answer. */
  LINK_LOST,
  /** Whoever asked has hung up. */
  REQUESTER_LEFT,
  HANDSHAKE_TIMEOUT(Limit.HANDSHAKE_TIMEOUT),
  /** The application did not connect to the socket that was made for it. */
  PAIRING_TIMEOUT(Limit.PAIRING_TIMEOUT),
  MAX_SESSIONS(Limit.MAX_SESSIONS),
  MAX_SESSIONS_PER_PEER(Limit.MAX_SESSIONS_PER_PEER),
  /** This proxy drains, and is about to end. */
  STOPPING,
  /** This host could not, for lack of descriptors or the like. */
  FAILED;

  private final @Nullable Limit limit;

  Refusal() {
    this.limit = null;
  }

  Refusal(Limit limit) {
    this.limit = limit;
  }

  /** The limit that was hit; null where it was none. */
  @Nullable Limit limit() {
    return limit;
  }

  /** As it stands in audit lines and metrics. */
  String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
