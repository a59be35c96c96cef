package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.jspecify.annotations.Nullable;

/**
 * Reads the peer's frames out of the buffers as they arrive, split at any byte.
 *
 * <p>Payload is not copied: the reader says how many of the next bytes are payload, and the caller
 * reports back how many it has taken. Headers and the small bodies of other frames are gathered
 * here. Lengths are checked before anything is kept. One thread.
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
    /** Of the content of the descriptor before: as many bytes as with {@link #PAYLOAD}. */
    CONTENT,
    /** The rest of the content of the descriptor before cannot be had. */
    CONTENT_LOST,
    /** The end of a message that had payload. */
    END,
    /** A message without payload, whole. */
    EMPTY,
    /** Something about the session itself: {@link #control}. */
    CONTROL
  }

  private final Dialect dialect;
  private final ByteBuf partial = Unpooled.buffer(Frame.HEADER_LENGTH, FdFrame.MAX_BODY);
  private int payloadLeft;
  private long contentLeft; // of a descriptor, payloadLeft included
  private boolean messageHasPayload;
  private int bodyType;
  private int bodyLength;
  private @Nullable Frame body;

  FrameReader(Dialect dialect) {
    this.dialect = dialect;
  }

  /** How many bytes of the current payload have not been taken. */
  int payloadLeft() {
    return payloadLeft;
  }

  /** The descriptor that {@link Event#PASSED} has told of. */
  Frame.Passed passed() {
    if (body instanceof Frame.Passed passed) {
      return passed;
    }
    throw new IllegalStateException("no descriptor frame");
  }

  /** What {@link Event#CONTROL} has told of. */
  Frame.Control control() {
    if (body instanceof Frame.Control control) {
      return control;
    }
    throw new IllegalStateException("no control frame");
  }

  /** Takes payload or content out of the buffer, at most {@link #payloadLeft} bytes. */
  void takePayload(ByteBuf in, int bytes) {
    in.skipBytes(bytes);
    payloadLeft -= bytes;
    contentLeft -= Math.min(bytes, contentLeft);
  }

  /** Goes on to what stands next, taking headers and bodies of all other frames out. */
  Event next(ByteBuf in) throws ProtocolException {
    if (payloadLeft > 0) {
      return bytes(in);
    }
    if (bodyLength == 0) {
      if (!gather(in, Frame.HEADER_LENGTH)) {
        return Event.NEED_MORE;
      }
      int msgtype = partial.readIntLE();
      int msglen = partial.readIntLE();
      partial.clear();
      return switch (dialect) {
        case V1 -> v1(in, msgtype, msglen);
        case EXTENDED -> extended(in, msgtype, msglen);
      };
    }
    return body(in);
  }

  private Event v1(ByteBuf in, int msgtype, int msglen) throws ProtocolException {
    return switch (msgtype) {
      case Frame.NORMAL -> payload(in, require(msgtype, msglen, 1, Frame.MAX_PAYLOAD));
      case Frame.END -> {
        require(msgtype, msglen, 0, 0);
        Event end = messageHasPayload ? Event.END : Event.EMPTY;
        messageHasPayload = false;
        yield end;
      }
      default -> passed(in, msgtype, msglen);
    };
  }

  private Event extended(ByteBuf in, int msgtype, int msglen) throws ProtocolException {
    if (contentLeft > 0 || msgtype == FdFrame.CONTENT) {
      return content(in, msgtype, msglen);
    }
    return switch (msgtype) {
      case Frame.PAYLOAD -> payload(in, require(msgtype, msglen, 0, Frame.MAX_EXTENDED_PAYLOAD));
      case Frame.EOF -> body(in, msgtype, require(msgtype, msglen, 0, 0));
      case Frame.GONE ->
          body(in, msgtype, require(msgtype, msglen, Frame.GONE_LENGTH, Frame.GONE_LENGTH));
      case Frame.FROM ->
          body(
              in,
              msgtype,
              require(
                  msgtype, msglen, Frame.FROM_LENGTH, Frame.FROM_LENGTH + Requester.MAX_COMMAND));
      case FdFrame.FILE -> path(in, msgtype, msglen, FdFrame.FILE_LENGTH);
      case FdFrame.PATH -> path(in, msgtype, msglen, FdFrame.PATH_LENGTH);
      case FdFrame.SOCKET ->
          body(in, msgtype, require(msgtype, msglen, FdFrame.SOCKET_LENGTH, FdFrame.SOCKET_LENGTH));
      case FdFrame.CONTENT_OF ->
          body(
              in,
              msgtype,
              require(msgtype, msglen, FdFrame.CONTENT_OF_LENGTH, FdFrame.CONTENT_OF_LENGTH));
      default -> passed(in, msgtype, msglen);
    };
  }

  /** A path behind so many bytes. */
  private Event path(ByteBuf in, int msgtype, int msglen, int before) throws ProtocolException {
    return body(in, msgtype, require(msgtype, msglen, before + 2, before + FdFrame.MAX_PATH + 1));
  }

  /** A piece of the content that has been announced; nothing else may stand before its end. */
  private Event content(ByteBuf in, int msgtype, int msglen) throws ProtocolException {
    if (contentLeft == 0 || msgtype != FdFrame.CONTENT) {
      throw new ProtocolException(
          "msgtype 0x" + Integer.toHexString(msgtype) + " with " + contentLeft + " bytes to come");
    }
    int most = (int) Math.min(contentLeft, Frame.MAX_EXTENDED_PAYLOAD);
    payloadLeft = require(msgtype, msglen, 0, most);
    if (msglen == 0) {
      contentLeft = 0;
      return Event.CONTENT_LOST;
    }
    return bytes(in);
  }

  private Event bytes(ByteBuf in) {
    if (!in.isReadable()) {
      return Event.NEED_MORE;
    }
    return contentLeft > 0 ? Event.CONTENT : Event.PAYLOAD;
  }

  /** What stands for a descriptor, in either dialect. */
  private Event passed(ByteBuf in, int msgtype, int msglen) throws ProtocolException {
    return switch (msgtype) {
      case Frame.SCM_RIGHTS -> body(in, msgtype, require(msgtype, msglen, 6, Frame.MAX_SCM_RIGHTS));
      case Frame.SCM_PIPE ->
          body(in, msgtype, require(msgtype, msglen, Frame.SCM_PIPE_LENGTH, Frame.SCM_PIPE_LENGTH));
      default -> throw new ProtocolException("unknown msgtype 0x" + Integer.toHexString(msgtype));
    };
  }

  private static int require(int msgtype, int msglen, int least, int most)
      throws ProtocolException {
    if (msglen < least || msglen > most) {
      throw new ProtocolException(
          "msglen " + msglen + " of msgtype 0x" + Integer.toHexString(msgtype));
    }
    return msglen;
  }

  private Event payload(ByteBuf in, int length) {
    if (length == 0) {
      return Event.EMPTY;
    }
    messageHasPayload = true;
    payloadLeft = length;
    return bytes(in);
  }

  private Event body(ByteBuf in, int msgtype, int length) throws ProtocolException {
    bodyType = msgtype;
    bodyLength = length;
    return body(in);
  }

  private Event body(ByteBuf in) throws ProtocolException {
    if (!gather(in, bodyLength)) {
      return Event.NEED_MORE;
    }
    bodyLength = 0;
    Frame decoded = decode();
    body = decoded;
    partial.clear();
    if (decoded instanceof FdFrame.Content content) {
      contentLeft = content.size();
    }
    return decoded instanceof Frame.Control ? Event.CONTROL : Event.PASSED;
  }

  private Frame decode() throws ProtocolException {
    return switch (bodyType) {
      case Frame.SCM_PIPE -> Frame.ScmPipe.decode(partial);
      case Frame.EOF -> new Frame.Eof();
      case Frame.GONE -> new Frame.Gone(partial.readIntLE());
      case Frame.FROM -> new Frame.From(Requester.decode(partial));
      case FdFrame.FILE -> FdFrame.File.decode(partial);
      case FdFrame.SOCKET -> FdFrame.Socket.decode(partial);
      case FdFrame.CONTENT_OF -> FdFrame.Content.decode(partial);
      case FdFrame.PATH -> FdFrame.Place.decode(partial);
      default -> Frame.ScmRights.decode(partial);
    };
  }

  private boolean gather(ByteBuf in, int length) {
    int missing = length - partial.readableBytes();
    partial.writeBytes(in, Math.min(missing, in.readableBytes()));
    return partial.readableBytes() == length;
  }
}
