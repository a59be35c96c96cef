package qtfs.udsproxy;

import java.util.Locale;

/**
 * What two proxies speak on a connection, agreed on without a round trip: the requester marks its
 * request where the deployed daemon does not look, and the answer tells whether it was understood.
 */
public enum Dialect {
  /** The deployed daemon's. */
  V1(Frame.NORMAL, Frame.MAX_PAYLOAD, Frame.HEADER_LENGTH, 24),

  /** Between two of ours: ends, errors and requesters are told, a payload needs no END. */
  EXTENDED(Frame.PAYLOAD, Frame.MAX_EXTENDED_PAYLOAD, 0, 1);

  private final int payloadType;
  private final int maxPayload;
  private final int trailer;
  private final int framesPerRead;

  Dialect(int payloadType, int maxPayload, int trailer, int framesPerRead) {
    this.payloadType = payloadType;
    this.maxPayload = maxPayload;
    this.trailer = trailer;
    this.framesPerRead = framesPerRead;
  }

  /** As it stands in logs, metrics and lists. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The msgtype of a frame with payload. */
  int payloadType() {
    return payloadType;
  }

  /** The most payload bytes of a frame: for sockets with message boundaries, of a message. */
  int maxPayload() {
    return maxPayload;
  }

  /** The bytes of the END behind a payload; 0 if it needs none. */
  int trailer() {
    return trailer;
  }

  /** Bytes from one frame to the next, when a read from a unix socket fills several. */
  int stride() {
    return Frame.HEADER_LENGTH + maxPayload + trailer;
  }

  /**
   * How many frames a read fills: 64 to 96 KiB, as a larger buffer falls out of the processor's
   * cache before it has gone on (docs/performance.md, Profiles).
   */
  int framesPerRead() {
    return framesPerRead;
  }

  /** The most payload bytes that a read takes. */
  int readSize() {
    return framesPerRead * maxPayload;
  }
}
