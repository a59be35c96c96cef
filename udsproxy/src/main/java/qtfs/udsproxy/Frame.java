package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * A frame of the stream between two proxies. All integers are little-endian.
 *
 * <pre>
 * header   0 i32 msgtype   4 i32 msglen   then msglen bytes
 *
 * NORMAL      0xa5a5  payload, 1..4088 bytes
 * SCM_RIGHTS  0xa5a6  0 i32 flags   4 char path[], NUL-terminated, at most 1019 characters
 * SCM_PIPE    0xa5aa  0 i32 dir     4 i32 srcfd
 * END         0xa5ab  nothing
 * </pre>
 *
 * In v1 one message of the application is any number of SCM frames, then at most one NORMAL, then
 * END. The extended dialect has the same SCM frames, and instead of the others:
 *
 * <pre>
 * PAYLOAD     0xa5b0  payload, 1..65536 bytes: of a stream any piece, else a message, 0 if empty
 * EOF         0xa5b1  nothing: no payload follows, the other direction goes on
 * GONE        0xa5b2  0 i32 errno: the socket is closed, 0, or reset; nothing follows
 * FROM        0xa5b3  0 u32 uid   4 u32 gid   8 i32 pid   12 char comm[], 0..15: who has asked
 *             0xa5b8..0xa5bf  more kinds of descriptors: {@link FdFrame}
 * </pre>
 */
sealed interface Frame {
  int HEADER_LENGTH = 8;

  /** The deployed daemon's buffer is 4096 bytes, header included. */
  int MAX_PAYLOAD = 4088;

  /** The deployed daemon refuses an SCM_RIGHTS frame whose msglen reaches 1024. */
  int MAX_SCM_RIGHTS = 1023;

  int SCM_PIPE_LENGTH = 8;

  int NORMAL = 0xa5a5;
  int SCM_RIGHTS = 0xa5a6;
  int SCM_PIPE = 0xa5aa;
  int END = 0xa5ab;

  /** The most payload of a frame, and the longest message, of the extended dialect. */
  int MAX_EXTENDED_PAYLOAD = 65536;

  int GONE_LENGTH = 4;

  /** Without the name. */
  int FROM_LENGTH = 12;

  int MAX_FROM = FROM_LENGTH + Requester.MAX_COMMAND;

  int PAYLOAD = 0xa5b0;
  int EOF = 0xa5b1;
  int GONE = 0xa5b2;
  int FROM = 0xa5b3;

  /** Appends the frame, header included. */
  void encode(ByteBuf out);

  /** A frame that stands for a descriptor of the message. */
  sealed interface Passed extends Frame permits ScmRights, ScmPipe, FdFrame {}

  /**
   * A regular file, to be opened by the receiver.
   *
   * @param flags of the sender's open file, F_GETFL
   * @param path absolute, at most {@link #MAX_PATH} bytes
   */
  record ScmRights(int flags, String path) implements Passed {
    /** Without the flags before it and the NUL behind it. */
    static final int MAX_PATH = MAX_SCM_RIGHTS - 4 - 1;

    @Override
    public void encode(ByteBuf out) {
      byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
      header(out, SCM_RIGHTS, 4 + bytes.length + 1);
      out.writeIntLE(flags).writeBytes(bytes).writeByte(0);
    }

    static ScmRights decode(ByteBuf body) throws ProtocolException {
      if (body.readableBytes() < 4 + 1 + 1) {
        throw new ProtocolException("SCM_RIGHTS of " + body.readableBytes() + " bytes");
      }
      return new ScmRights(body.readIntLE(), Frame.path("SCM_RIGHTS", body));
    }
  }

  /**
   * A pipe or FIFO end, to be replaced by one of the receiver's.
   *
   * @param end which one was passed
   * @param srcfd what the receiver says to the sender to get the pipe's bytes; opaque to it
   */
  record ScmPipe(PipeEnd end, int srcfd) implements Passed {
    @Override
    public void encode(ByteBuf out) {
      header(out, SCM_PIPE, SCM_PIPE_LENGTH);
      out.writeIntLE(end.wire()).writeIntLE(srcfd);
    }

    static ScmPipe decode(ByteBuf body) throws ProtocolException {
      return new ScmPipe(PipeEnd.fromWire(body.readIntLE()), body.readIntLE());
    }
  }

  /** A frame of the extended dialect about the session itself. */
  sealed interface Control extends Frame {}

  /** The sender's application has ended its stream, {@code shutdown(SHUT_WR)}. */
  record Eof() implements Control {
    @Override
    public void encode(ByteBuf out) {
      header(out, EOF, 0);
    }
  }

  /**
   * The sender's application has closed its socket, whatever the receiver's still has to say.
   *
   * @param errno 0, or what the sender's proxy was told instead of an end: ECONNRESET
   */
  record Gone(int errno) implements Control {
    @Override
    public void encode(ByteBuf out) {
      header(out, GONE, GONE_LENGTH);
      out.writeIntLE(errno);
    }
  }

  /** Who has asked for the connection: the requester's first frame, and nobody else's. */
  record From(Requester requester) implements Control {
    @Override
    public void encode(ByteBuf out) {
      header(out, FROM, FROM_LENGTH + requester.command().length());
      requester.encode(out);
    }
  }

  /**
   * The path at the end of a body, up to its NUL. Replacing what is no UTF-8 would make two paths
   * look the same to a whitelist.
   */
  static String path(String frame, ByteBuf body) throws ProtocolException {
    int end = body.bytesBefore((byte) 0);
    if (end <= 0) {
      throw new ProtocolException(
          frame + (end == 0 ? " without a path" : " whose path has no NUL"));
    }
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(body.nioBuffer(body.readerIndex(), end))
          .toString();
    } catch (CharacterCodingException e) {
      throw new ProtocolException(frame + " whose path is not UTF-8");
    }
  }

  static void header(ByteBuf out, int msgtype, int msglen) {
    out.writeIntLE(msgtype).writeIntLE(msglen);
  }
}
