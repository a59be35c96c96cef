package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import qtfs.linux.Fd;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.testing.Ports;
import qtfs.udsproxy.connector.ConnectRequest;
import qtfs.udsproxy.connector.Mark;

/** A proxy that may open no more files delivers a message with the descriptors that it has got. */
final class NoDescriptorsLeftTest {
  private static final String HELLO = "b0a500000500000068656c6c6f";

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "bca500001a000000 02000000 00200000 01000000 03000000 2f6465762f6e756c6c00",
        "baa5000014000000 02000000 0000000000000000 0100000000000000 bba50000 01000000 61",
        "b9a500000c000000 00000000 8877665544332211",
      })
  void theMessageArrivesWithThoseThatThereWereAndNoneIsLost(String frame) throws Exception {
    byte[] message = HexFormat.of().parseHex((frame.repeat(250) + HELLO).replace(" ", ""));
    int port = Ports.free();
    Files.writeString(directory.resolve("whitelist"), ProxyPair.allowing(directory));
    try (ServerSocket peer = new ServerSocket(0, 256, InetAddress.getLoopbackAddress());
        DaemonProcess daemon = start(port, peer.getLocalPort());
        UnixListener listener = UnixListener.bind(directory.resolve("t.sock"), 8);
        Peer.Link link = reach(port);
        Fd target = ProxyPair.accept(listener)) {
      for (int i = 0; i < 3; i++) {
        link.send(message);
        Sockets.Message received = Sockets.receive(target);
        assertThat(received.text()).isEqualTo("hello");
        assertThat(received.fds()).hasSizeBetween(1, 199);
        Fd.closeAll(received.fds());
        closeAll(peer);
        daemon.awaitSaid("descriptor-refused");
        assertThat(daemon.stderr()).contains("Too many open files").doesNotContain("Exception");
      }
      daemon.terminate();
    }
  }

  private DaemonProcess start(int port, int peer) throws Exception {
    return DaemonProcess.startBy(
            DaemonProcess.withDescriptors(200),
            directory,
            List.of(
                "--run-dir=" + directory.resolve("run"),
                "--whitelist=" + directory.resolve("whitelist"),
                "1",
                "127.0.0.1",
                Integer.toString(port),
                "127.0.0.1",
                Integer.toString(peer)))
        .ready();
  }

  /** Connects as the peer to a socket of the daemon's host. */
  private Peer.Link reach(int port) throws IOException {
    ByteBuffer request = ByteBuffer.allocate(120).order(ByteOrder.LITTLE_ENDIAN);
    request.putInt(PeerRequest.CNTL_UDS).putInt(112);
    String path = directory.resolve("t.sock").toString();
    request.put(new ConnectRequest(UnixSocket.Type.STREAM, path).encode(Mark.PROXY));
    Peer.Link link = new Peer.Link(new Socket(InetAddress.getLoopbackAddress(), port));
    link.send(request.array());
    assertThat(link.readInt()).isEqualTo(PeerRequest.CONNECTED_EXTENDED);
    return link;
  }

  /** Ends the connections that the daemon has made for sockets passed to it. */
  private static void closeAll(ServerSocket peer) throws IOException {
    peer.setSoTimeout(500);
    try {
      while (true) {
        peer.accept().close();
      }
    } catch (java.net.SocketTimeoutException none) {
      peer.setSoTimeout(0);
    }
  }
}
