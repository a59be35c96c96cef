package qtfs.udsproxy;

import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What is known of one session, as of the moment of asking. Immutable.
 *
 * @param number by which its log lines belong together, from 1, never used twice by a process
 * @param path of the socket that was asked for, on the host that has it; any text, to be escaped
 * @param requester null where nobody has told: not yet, or by a peer of dialect v1
 * @param peer address of the other proxy
 * @param dialect that the two proxies speak
 * @param since when both ends were connected
 * @param idle since when nothing has gone either way
 * @param bytesToPeer payload, without frames
 * @param fdsToPeer descriptors that have crossed
 * @param pipes that have been passed through it and are relayed by connections of their own
 */
public record SessionInfo(
    long number,
    Direction direction,
    String path,
    @Nullable Requester requester,
    String peer,
    String dialect,
    Instant since,
    Duration idle,
    long bytesToPeer,
    long bytesFromPeer,
    long fdsToPeer,
    long fdsFromPeer,
    long pipes) {
  /** Who asked for a session. */
  public enum Direction {
    /** An application of this host, for a socket of the peer's. */
    OUTGOING,
    /** The peer, for a socket of this host. */
    INCOMING;

    /** As it stands in logs, metrics and lists. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
