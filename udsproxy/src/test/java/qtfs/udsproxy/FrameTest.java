package qtfs.udsproxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import qtfs.linux.Fd;
import qtfs.linux.UnixSocket;
import qtfs.udsproxy.connector.ConnectRequest;

/** What we send is, for the same facts, what the deployed daemon was recorded to send. */
final class FrameTest {
  private static String encoded(Frame frame) {
    ByteBuf out = Unpooled.buffer();
    frame.encode(out);
    return ByteBufUtil.hexDump(out);
  }

  private static String encoded(PeerRequest request) {
    ByteBuf out = Unpooled.buffer();
    request.encode(out);
    return ByteBufUtil.hexDump(out);
  }

  private static String recorded(String scene, String link, int from, int to) throws Exception {
    return HexFormat.of().formatHex(Recorded.of(scene, link).slice(from, to));
  }

  @Test
  void aRegularFileIsItsFlagsAndItsPath() throws Exception {
    int reading = 0100000; // O_LARGEFILE, which every 64-bit open carries
    assertThat(encoded(new Frame.ScmRights(reading, "/srv/peer/log/reg.txt")))
        .isEqualTo(recorded("b04-scm-regular-file", "tcp1.A-B", 120, 154));
    String second =
        encoded(new Frame.ScmRights(reading | Fd.O_RDWR | Fd.O_APPEND, "/srv/peer/log/reg.txt"));
    assertThat(recorded("b11-scm-two-files-two-messages", "tcp1.A-B", 120, 226)).contains(second);
  }

  @Test
  void aPipeIsItsEndAndANumber() throws Exception {
    assertThat(encoded(new Frame.ScmPipe(PipeEnd.READ, 11)))
        .isEqualTo(recorded("b05-scm-pipe-read", "tcp1.A-B", 120, 136));
    assertThat(encoded(new Frame.ScmPipe(PipeEnd.WRITE, 11)))
        .isEqualTo(recorded("b06-scm-pipe-write", "tcp1.A-B", 120, 136));
  }

  @Test
  void aRequestForASocketIsTheApplicationsOwn() throws Exception {
    var request = new ConnectRequest(UnixSocket.Type.STREAM, "/run/t.sock");
    assertThat(encoded(new PeerRequest.Uds(request)))
        .isEqualTo(recorded("b01-connect-hello-reply", "tcp1.A-B", 0, 120));
  }

  @Test
  void aRequestForAPipeNamesWhatWasPassed() throws Exception {
    assertThat(encoded(new PeerRequest.Pipe(PipeEnd.READ, 11)))
        .isEqualTo(recorded("b05-scm-pipe-read", "tcp2.B-A", 0, 16));
    assertThat(encoded(new PeerRequest.Pipe(PipeEnd.WRITE, 11)))
        .isEqualTo(recorded("b06-scm-pipe-write", "tcp2.B-A", 0, 16));
  }

  @Test
  void theLongestPathIsTheLongestThatTheDeployedDaemonTakes() {
    String path = "/" + "p".repeat(Frame.ScmRights.MAX_PATH - 1);
    String hex = encoded(new Frame.ScmRights(0, path));
    assertThat(hex).startsWith("a6a50000ff030000"); // msglen 1023
    assertThat(hex).endsWith(HexFormat.of().formatHex("p\0".getBytes(UTF_8)));
    assertThat(hex).hasSize(2 * (Frame.HEADER_LENGTH + 1023));
  }
}
