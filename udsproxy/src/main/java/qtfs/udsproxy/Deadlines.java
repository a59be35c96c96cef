package qtfs.udsproxy;

import java.time.Duration;

/**
 * How long the proxy waits for others.
 *
 * @param handshake for a request to be complete, for the peer's TCP, for the target to accept, and
 *     for the peer's answer: each
 * @param pairing for the application to connect to the stand-in socket
 * @param pipe for the peer to fetch a pipe that was passed to it, however busy it is
 * @param stopping for connections to flush what they hold when the daemon ends
 * @param spare for another request to follow, while a {@link SpareLink} is kept for it
 */
public record Deadlines(
    Duration handshake, Duration pairing, Duration pipe, Duration stopping, Duration spare) {
  /** A daemon that drains waits as long for its peer's spare connection. */
  private static final Duration SPARE = Duration.ofMillis(500);

  /** The deployed daemon gives up pairing after about 5 s. */
  public static final Deadlines DEFAULT =
      new Deadlines(
          Duration.ofSeconds(10),
          Duration.ofSeconds(5),
          Duration.ofSeconds(60),
          Duration.ofSeconds(1));

  /** With the usual time for a spare connection. */
  public Deadlines(Duration handshake, Duration pairing, Duration pipe, Duration stopping) {
    this(handshake, pairing, pipe, stopping, SPARE);
  }
}
