package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import qtfs.linux.Fd;
import qtfs.linux.UnixListener;
import qtfs.testing.Ports;
import qtfs.udsproxy.connector.RemoteConnector;

/** A host with the program udsproxyd as its proxy; that of its peer is in the test. */
final class ServedHost implements AutoCloseable {
  private final Path directory;
  private final int port = Ports.free();
  private final int peerPort = Ports.free();
  private final ProxyDaemon peer;

  ServedHost(Path directory) throws IOException, StartException {
    this.directory = directory;
    Path everything = Files.writeString(directory.resolve("peers"), ProxyPair.allowing(directory));
    InetAddress loopback = InetAddress.getLoopbackAddress();
    this.peer =
        ProxyDaemon.start(
            ProxyConfig.between(
                    new InetSocketAddress(loopback, peerPort),
                    new InetSocketAddress(loopback, port))
                .runDirectory(directory.resolve("peer"))
                .whitelist(everything)
                .deadlines(ProxyPair.DEADLINES)
                .build());
    whitelist(ProxyPair.allowing(directory));
  }

  int port() {
    return port;
  }

  Path run() {
    return directory.resolve("run");
  }

  /** What is in the run directory. */
  List<String> left() throws IOException {
    try (Stream<Path> files = Files.list(run())) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }

  Path whitelistFile() {
    return directory.resolve("whitelist");
  }

  void whitelist(String text) throws IOException {
    Files.writeString(whitelistFile(), text);
  }

  List<String> arguments(String... options) {
    List<String> arguments = new ArrayList<>(List.of(options));
    arguments.addAll(
        List.of(
            "--run-dir=" + run(),
            "--whitelist=" + whitelistFile(),
            "1",
            "127.0.0.1",
            Integer.toString(port),
            "127.0.0.1",
            Integer.toString(peerPort)));
    return arguments;
  }

  DaemonProcess start(String... options) throws Exception {
    return startBy(List.of(), options);
  }

  DaemonProcess startBy(List<String> launcher, String... options) throws Exception {
    return DaemonProcess.startBy(launcher, directory, arguments(options)).ready();
  }

  UnixListener listen() throws IOException {
    return UnixListener.bind(directory.resolve("t.sock"), 8);
  }

  /** A connection that an application of this host makes to a socket of the peer's. */
  Fd connect(UnixListener target) throws IOException {
    return new RemoteConnector(run().toString(), true).connect(target.path().toString());
  }

  /** A connection that an application of the peer makes to a socket of this host. */
  Fd connectFromPeer(UnixListener target) throws IOException {
    return new RemoteConnector(directory.resolve("peer").toString(), true)
        .connect(target.path().toString());
  }

  static void assertCarries(Fd client, Fd server) throws IOException {
    Sockets.write(client, "hello");
    assertThat(Sockets.readText(server, 5)).isEqualTo("hello");
    Sockets.write(server, "there");
    assertThat(Sockets.readText(client, 5)).isEqualTo("there");
  }

  @Override
  public void close() {
    peer.stop();
  }
}
