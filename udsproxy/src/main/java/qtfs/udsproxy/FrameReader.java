package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.jspecify.annotations.Nullable;

/**
 * Reads the peer's frames out of the buffers as they arrive, split at any byte.
 *
 * <p>Payload is not copied: the reader says how many of the next bytes are payload, and the caller
 * reports back how many it has taken. Headers and the small bodies of SCM frames are gathered here.
 * Lengths are checked before anything is kept. One thread.
 */
final class FrameReader {
  /** What stands next in the stream. */
  enum Event {
    /** The buffer is used up. */
    NEED_MORE,
    /** {@link #payloadLeft} bytes of payload, of which the buffer holds the first at least. */
    PAYLOAD,
    /** A descriptor: {@link #passed}. */
    PASSED,
    /** The end of a message. */
    END
  }

  private final ByteBuf partial = Unpooled.buffer(Frame.HEADER_LENGTH, Frame.MAX_SCM_RIGHTS);
  private int payloadLeft;
  private int bodyType;
  private int bodyLength;
  private Frame.@Nullable Passed passed;

  /** How many bytes of the current NORMAL frame have not been taken. */
  int payloadLeft() {
    return payloadLeft;
  }

  /** The descriptor that {@link Event#PASSED} has told of. */
  Frame.Passed passed() {
    if (passed == null) {
      throw new IllegalStateException("no descriptor frame");
    }
    return passed;
  }

  /** Takes payload out of the buffer, at most {@link #payloadLeft} bytes. */
  void takePayload(ByteBuf in, int bytes) {
    in.skipBytes(bytes);
    payloadLeft -= bytes;
  }

  /** Goes on to what stands next, taking headers and SCM frames out of the buffer. */
  Event next(ByteBuf in) throws ProtocolException {
    if (payloadLeft > 0) {
      return in.isReadable() ? Event.PAYLOAD : Event.NEED_MORE;
    }
    if (bodyLength == 0) {
      if (!gather(in, Frame.HEADER_LENGTH)) {
        return Event.NEED_MORE;
      }
      int msgtype = partial.readIntLE();
      int msglen = partial.readIntLE();
      partial.clear();
      return header(in, msgtype, msglen);
    }
    return body(in);
  }

  private Event header(ByteBuf in, int msgtype, int msglen) throws ProtocolException {
    switch (msgtype) {
      case Frame.NORMAL -> {
        payloadLeft = require(msgtype, msglen, 1, Frame.MAX_PAYLOAD);
        return in.isReadable() ? Event.PAYLOAD : Event.NEED_MORE;
      }
      case Frame.END -> {
        require(msgtype, msglen, 0, 0);
        return Event.END;
      }
      case Frame.SCM_RIGHTS -> bodyLength = require(msgtype, msglen, 6, Frame.MAX_SCM_RIGHTS);
      case Frame.SCM_PIPE ->
          bodyLength = require(msgtype, msglen, Frame.SCM_PIPE_LENGTH, Frame.SCM_PIPE_LENGTH);
      default -> throw new ProtocolException("unknown msgtype 0x" + Integer.toHexString(msgtype));
    }
    bodyType = msgtype;
    return body(in);
  }

  private static int require(int msgtype, int msglen, int least, int most)
      throws ProtocolException {
    if (msglen < least || msglen > most) {
      throw new ProtocolException(
          "msglen " + msglen + " of msgtype 0x" + Integer.toHexString(msgtype));
    }
    return msglen;
  }

  private Event body(ByteBuf in) throws ProtocolException {
    if (!gather(in, bodyLength)) {
      return Event.NEED_MORE;
    }
    bodyLength = 0;
    passed =
        bodyType == Frame.SCM_PIPE
            ? Frame.ScmPipe.decode(partial)
            : Frame.ScmRights.decode(partial);
    partial.clear();
    return Event.PASSED;
  }

  private boolean gather(ByteBuf in, int length) {
    int missing = length - partial.readableBytes();
    partial.writeBytes(in, Math.min(missing, in.readableBytes()));
    return partial.readableBytes() == length;
  }
}
