package qtfs.udsproxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
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
    assertThat(encoded(new PeerRequest.Uds(request, Dialect.V1)))
        .isEqualTo(recorded("b01-connect-hello-reply", "tcp1.A-B", 0, 120));
  }

  @Test
  void aRequestOfOursIsMarkedWhereTheDeployedDaemonDoesNotLook() throws Exception {
    var request = new ConnectRequest(UnixSocket.Type.STREAM, "/run/t.sock");
    String plain = recorded("b01-connect-hello-reply", "tcp1.A-B", 0, 112);
    assertThat(encoded(new PeerRequest.Uds(request, Dialect.EXTENDED)))
        .isEqualTo(plain + "5154465801000000"); // QTFX, version 1
    String longest = "/" + "p".repeat(98);
    assertThat(
            encoded(
                new PeerRequest.Uds(
                    new ConnectRequest(UnixSocket.Type.STREAM, longest), Dialect.EXTENDED)))
        .endsWith("70005154465801000000");
    var longer = new ConnectRequest(UnixSocket.Type.STREAM, longest + "p");
    assertThat(encoded(new PeerRequest.Uds(longer, Dialect.EXTENDED)))
        .isEqualTo(encoded(new PeerRequest.Uds(longer, Dialect.V1)));
  }

  @Test
  void whatTheExtendedDialectSaysOfASession() {
    assertThat(encoded(new Frame.From(new Requester(77, 1000, 100, "qemu-kvm"))))
        .isEqualTo("b3a5000014000000" + "e8030000" + "64000000" + "4d000000" + "71656d752d6b766d");
    assertThat(encoded(new Frame.Eof())).isEqualTo("b1a5000000000000");
    assertThat(encoded(new Frame.Gone(0))).isEqualTo("b2a500000400000000000000");
    assertThat(encoded(new Frame.Gone(Errno.ECONNRESET))).isEqualTo("b2a500000400000068000000");
  }

  @Test
  void whatStandsForADescriptorInTheExtendedDialect() {
    assertThat(encoded(new FdFrame.File(0100002, 6, "/srv/f")))
        .isEqualTo("b8a5000013000000" + "02800000" + "0600000000000000" + "2f7372762f6600");
    assertThat(encoded(new FdFrame.Socket(Fd.O_RDWR | Fd.O_NONBLOCK, 0x1122334455667788L)))
        .isEqualTo("b9a500000c000000" + "02080000" + "8877665544332211");
    assertThat(encoded(new FdFrame.Content(Fd.O_RDWR, 1, 5)))
        .isEqualTo("baa5000014000000" + "02000000" + "0100000000000000" + "0500000000000000");
    assertThat(encoded(new FdFrame.Place(0, FdFrame.Place.Type.DIRECTORY, 0, "/d")))
        .isEqualTo(
            "bca5000013000000" + "00000000" + "00400000" + "00000000" + "00000000" + "2f6400");
    assertThat(
            encoded(
                new FdFrame.Place(
                    Fd.O_RDWR,
                    FdFrame.Place.Type.DEVICE,
                    FileStatus.device(1, 3),
                    CommonDevice.NULL.path())))
        .isEqualTo(
            "bca500001a000000"
                + "02000000"
                + "00200000"
                + "01000000"
                + "03000000"
                + "2f6465762f6e756c6c00");
    assertThat(encoded(new PeerRequest.Socket(0x1122334455667788L)))
        .isEqualTo("0300000008000000" + "8877665544332211");
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
