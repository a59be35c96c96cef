package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import qtfs.linux.UnixSocket;
import qtfs.udsproxy.connector.ConnectRequest;

/** The first bytes of a connection between two proxies: what they ask for, or that they do not. */
final class PeerRequestTest {
  private static ByteBuf header(int msgtype, int msglen) {
    ByteBuf out = Unpooled.buffer();
    Frame.header(out, msgtype, msglen);
    return out;
  }

  @ParameterizedTest
  @CsvSource({"1, 112", "2, 8", "3, 8"})
  void aRequestHasOneLength(int msgtype, int right) throws Exception {
    assertThat(PeerRequest.length(header(msgtype, right))).isEqualTo(8 + right);
    for (int wrong : new int[] {-1, 0, 1, right - 1, right + 1, 4088, Integer.MAX_VALUE}) {
      assertThatThrownBy(() -> PeerRequest.length(header(msgtype, wrong)))
          .isInstanceOf(ProtocolException.class)
          .hasMessageContaining(Integer.toString(wrong));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 4, -1, 0xa5a5, 0xa5ab, 0x20544547 /* "GET " */, Integer.MIN_VALUE})
  void nothingElseIsARequest(int msgtype) {
    for (int msglen : new int[] {-1, 0, 8, 112, Integer.MAX_VALUE}) {
      assertThatThrownBy(() -> PeerRequest.length(header(msgtype, msglen)))
          .isInstanceOf(ProtocolException.class)
          .hasMessageContaining("msgtype");
    }
  }

  @Test
  void looksAtTheHeaderWithoutTakingIt() throws Exception {
    ByteBuf in = header(PeerRequest.CNTL_PIPE, 8);
    assertThat(PeerRequest.length(in)).isEqualTo(16);
    assertThat(in.readableBytes()).isEqualTo(8);
  }

  @Test
  void readsTheRecordedRequests() throws Exception {
    assertThat(decoded("b01-connect-hello-reply", "tcp1.A-B", 120))
        .isEqualTo(uds(UnixSocket.Type.STREAM, "/run/t.sock"));
    assertThat(decoded("b07-dgram-attempt", "tcp1.A-B", 120))
        .isEqualTo(uds(UnixSocket.Type.DGRAM, "/run/d.sock"));
    assertThat(decoded("b05-scm-pipe-read", "tcp2.B-A", 16))
        .isEqualTo(new PeerRequest.Pipe(PipeEnd.READ, 11));
    assertThat(decoded("b06-scm-pipe-write", "tcp2.B-A", 16))
        .isEqualTo(new PeerRequest.Pipe(PipeEnd.WRITE, 11));
  }

  @ParameterizedTest
  @CsvSource({
    "5154465801000000, EXTENDED", // QTFX
    "51544658ffff ffff, EXTENDED", // of a later version
    "5154465800000000, V1",
    "5154464301000000, V1", // QTFC: a connector's, passed on by a deployed daemon
    "5154465901000000, V1",
    "0000000000000000, V1",
  })
  void takesTheMarkForAnOffer(String mark, Dialect offered) throws Exception {
    ByteBuf in = header(PeerRequest.CNTL_UDS, 112).writeIntLE(1).writeBytes(new byte[] {'/', 'a'});
    in.writeZero(98).writeBytes(ByteBufUtil.decodeHexDump(mark.replace(" ", "")));
    assertThat(PeerRequest.decode(in))
        .isEqualTo(new PeerRequest.Uds(new ConnectRequest(UnixSocket.Type.STREAM, "/a"), offered));
  }

  /** A path that reaches into the place of the mark has none, whatever it says. */
  @Test
  void aPathIsNoMark() throws Exception {
    String path = "/" + "p".repeat(99) + "Q";
    ByteBuf in = header(PeerRequest.CNTL_UDS, 112).writeIntLE(1);
    in.writeBytes(path.getBytes(java.nio.charset.StandardCharsets.UTF_8)).writeZero(7);
    assertThat(PeerRequest.decode(in)).isEqualTo(uds(UnixSocket.Type.STREAM, path));
  }

  private static PeerRequest.Uds uds(UnixSocket.Type type, String path) {
    return new PeerRequest.Uds(new ConnectRequest(type, path), Dialect.V1);
  }

  private static PeerRequest decoded(String scene, String link, int length) throws IOException {
    return PeerRequest.decode(Unpooled.wrappedBuffer(Recorded.of(scene, link).slice(0, length)));
  }

  @Test
  void refusesBodiesOfGarbage() {
    ByteBuf pipe = header(PeerRequest.CNTL_PIPE, 8).writeIntLE(7).writeIntLE(11);
    assertThatThrownBy(() -> PeerRequest.decode(pipe)).isInstanceOf(ProtocolException.class);
    ByteBuf unterminated = header(PeerRequest.CNTL_UDS, 112).writeIntLE(1);
    unterminated.writeBytes("/".repeat(108).getBytes(java.nio.charset.StandardCharsets.UTF_8));
    assertThatThrownBy(() -> PeerRequest.decode(unterminated))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("NUL");
    ByteBuf empty = header(PeerRequest.CNTL_UDS, 112).writeIntLE(1).writeZero(108);
    assertThatThrownBy(() -> PeerRequest.decode(empty))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("empty");
  }
}
