package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import java.io.IOException;
import qtfs.udsproxy.connector.ConnectRequest;
import qtfs.udsproxy.connector.Mark;

/**
 * What a new connection between two proxies begins with: a frame header, then what is wanted.
 *
 * <pre>
 * CNTL_UDS   1, msglen 112  the application's connect request; answered by i32 0 or -1, if it is
 *                           marked by 0x01585451 or -errno
 * CNTL_PIPE  2, msglen 8    0 i32 dir   4 i32 srcfd, both as in SCM_PIPE; then the pipe's bytes
 * CNTL_SOCK  3, msglen 8    0 i64 token, as in FD_SOCKET; then the extended dialect's frames
 * </pre>
 */
sealed interface PeerRequest {
  int CNTL_UDS = 1;
  int CNTL_PIPE = 2;
  int CNTL_SOCK = 3;
  int PIPE_LENGTH = 8;
  int SOCKET_LENGTH = 8;

  /** The answer to a request for a unix socket, i32. */
  int CONNECTED = 0;

  /** Connected, and from here on in the extended dialect: "QTX", version 1. */
  int CONNECTED_EXTENDED = 0x01585451;

  int REFUSED = -1;
  int ANSWER_LENGTH = 4;

  /** How TLS begins: content type 22, version 3. */
  int TLS_HANDSHAKE = 0x0316;

  /** How TLS says no to who does not speak it: content type 21, version 3. */
  int TLS_ALERT = 0x0315;

  /**
   * Connect to a unix socket on your host.
   *
   * @param dialect that the requester understands besides v1
   */
  record Uds(ConnectRequest request, Dialect dialect) implements PeerRequest {
    @Override
    public void encode(ByteBuf out) {
      Frame.header(out, CNTL_UDS, ConnectRequest.LENGTH);
      out.writeBytes(request.encode(mark()));
    }

    private Mark mark() {
      return dialect == Dialect.EXTENDED ? Mark.PROXY : Mark.NONE;
    }
  }

  /** Be the other half of a pipe whose end you have passed to me. */
  record Pipe(PipeEnd end, int srcfd) implements PeerRequest {
    @Override
    public void encode(ByteBuf out) {
      Frame.header(out, CNTL_PIPE, PIPE_LENGTH);
      out.writeIntLE(end.wire()).writeIntLE(srcfd);
    }
  }

  /** Be the other half of a session with a socket that you have passed to me. */
  record Socket(long token) implements PeerRequest {
    @Override
    public void encode(ByteBuf out) {
      Frame.header(out, CNTL_SOCK, SOCKET_LENGTH);
      out.writeLongLE(token);
    }
  }

  void encode(ByteBuf out);

  /**
   * The length of a request, once its header is there.
   *
   * @param in at least {@link Frame#HEADER_LENGTH} bytes, not consumed
   * @return header and body together
   */
  static int length(ByteBuf in) throws ProtocolException {
    int msgtype = in.getIntLE(in.readerIndex());
    int msglen = in.getIntLE(in.readerIndex() + 4);
    int expected =
        switch (msgtype) {
          case CNTL_UDS -> ConnectRequest.LENGTH;
          case CNTL_PIPE -> PIPE_LENGTH;
          case CNTL_SOCK -> SOCKET_LENGTH;
          default ->
              throw new ProtocolException(
                  (msgtype & 0xffff) == TLS_HANDSHAKE
                      ? "it speaks TLS: give this proxy the three --tls options too"
                      : "begins with msgtype 0x" + Integer.toHexString(msgtype));
        };
    if (msglen != expected) {
      throw new ProtocolException("request " + msgtype + " of " + msglen + " bytes");
    }
    return Frame.HEADER_LENGTH + expected;
  }

  /** Decodes and consumes a request that is there whole. */
  static PeerRequest decode(ByteBuf in) throws IOException {
    int msgtype = in.readIntLE();
    in.skipBytes(4);
    if (msgtype == CNTL_PIPE) {
      return new Pipe(PipeEnd.fromWire(in.readIntLE()), in.readIntLE());
    }
    if (msgtype == CNTL_SOCK) {
      return new Socket(in.readLongLE());
    }
    byte[] request = new byte[ConnectRequest.LENGTH];
    in.readBytes(request);
    Dialect dialect = Mark.of(request) == Mark.PROXY ? Dialect.EXTENDED : Dialect.V1;
    return new Uds(ConnectRequest.decode(request), dialect);
  }
}
