package qtfs.udsproxy;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import qtfs.linux.Fd;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.udsproxy.connector.ConnectRequest;

/**
 * A proxy whose peer is the test itself, with plain sockets: it can speak as the deployed daemon
 * does, or as nobody should. No read waits longer than 10 s.
 */
final class Peer implements AutoCloseable {
  private static final int LIMIT_MILLIS = 10_000;

  private final Path directory;
  private final ServerSocket server;
  private final ProxyDaemon daemon;

  Peer(Path directory, Deadlines deadlines, String whitelist) throws IOException, StartException {
    this(directory, whitelist, config -> config.deadlines(deadlines));
  }

  private Peer(Path directory, String whitelist, UnaryOperator<ProxyConfig.Builder> options)
      throws IOException, StartException {
    this.directory = directory;
    this.server = new ServerSocket(0, 1024, InetAddress.getLoopbackAddress());
    server.setSoTimeout(LIMIT_MILLIS);
    this.daemon =
        ProxyDaemon.start(
            options
                .apply(
                    ProxyConfig.between(
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                            new InetSocketAddress(
                                InetAddress.getLoopbackAddress(), server.getLocalPort()))
                        .runDirectory(directory.resolve("run"))
                        .whitelist(Files.writeString(directory.resolve("whitelist"), whitelist))
                        .deadlines(ProxyPair.DEADLINES))
                .build());
  }

  /** A proxy that lets its peer reach everything in the directory. */
  static Peer open(Path directory) throws IOException, StartException {
    return open(directory, ProxyPair.DEADLINES);
  }

  static Peer open(Path directory, Deadlines deadlines) throws IOException, StartException {
    return new Peer(directory, deadlines, ProxyPair.allowing(directory));
  }

  /** One that is configured in another way. */
  static Peer configured(Path directory, UnaryOperator<ProxyConfig.Builder> options)
      throws IOException, StartException {
    return new Peer(directory, ProxyPair.allowing(directory), options);
  }

  ProxyDaemon daemon() {
    return daemon;
  }

  Path path(String name) {
    return directory.resolve(name);
  }

  UnixListener listen(String name) throws IOException {
    return UnixListener.bind(path(name), 1024);
  }

  /** Connects to the proxy, as its peer does. */
  Link connect() throws IOException {
    return connectFrom("127.0.0.1");
  }

  /** Connects to the proxy from another address of this host. */
  Link connectFrom(String address) throws IOException {
    Socket socket = new Socket();
    socket.bind(new InetSocketAddress(address, 0));
    socket.connect(
        new InetSocketAddress(InetAddress.getLoopbackAddress(), daemon.port()), LIMIT_MILLIS);
    return new Link(socket);
  }

  /** Connects to the proxy and is led to a socket of its host. */
  Link reach(String name) throws IOException {
    Link link = connect();
    link.send(Recorded.of("b01-connect-hello-reply", "tcp1.A-B").towards(path(name)), 0, 120);
    if (link.readInt() != PeerRequest.CONNECTED) {
      throw new IOException("refused: " + name);
    }
    return link;
  }

  /** The next connection that the proxy makes to its peer. */
  Link accept() throws IOException {
    return new Link(server.accept());
  }

  /** Whether the proxy has made a connection that nobody has accepted yet. */
  boolean isAsked() throws IOException {
    server.setSoTimeout(1);
    try (Socket _ = server.accept()) {
      return true;
    } catch (java.net.SocketTimeoutException e) {
      return false;
    } finally {
      server.setSoTimeout(LIMIT_MILLIS);
    }
  }

  /** An application's connector, which has sent something. */
  Fd connector(byte[] request) throws IOException {
    Fd connector = UnixSocket.connect(directory + "/run/remote_uds.sock");
    Sockets.write(connector, request);
    return connector;
  }

  /** A connector that has asked for a stream socket. */
  Fd ask(String name) throws IOException {
    return connector(new ConnectRequest(UnixSocket.Type.STREAM, path(name).toString()).encode());
  }

  /** The application's connection, after its connector has been told to go ahead. */
  Fd application(String name) throws IOException {
    return UnixSocket.connect(path(name) + ConnectRequest.PROXY_SUFFIX);
  }

  @Override
  public void close() throws IOException {
    daemon.stop();
    server.close();
  }

  /** A connection between the proxy and its peer, seen by the peer. */
  static final class Link implements AutoCloseable {
    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;

    Link(Socket socket) throws IOException {
      this.socket = socket;
      socket.setSoTimeout(LIMIT_MILLIS);
      socket.setTcpNoDelay(true);
      this.in = socket.getInputStream();
      this.out = socket.getOutputStream();
    }

    void send(byte[] bytes) throws IOException {
      out.write(bytes);
    }

    void send(Recorded stream, int from, int to) throws IOException {
      send(stream.slice(from, to));
    }

    /** One segment a byte. */
    void sendByteByByte(byte[] bytes) throws IOException {
      for (byte b : bytes) {
        out.write(b);
      }
    }

    byte[] read(int count) throws IOException {
      byte[] bytes = in.readNBytes(count);
      if (bytes.length < count) {
        throw new IOException("ended after " + bytes.length + " of " + count + " bytes");
      }
      return bytes;
    }

    /** What is there, up to a buffer full; empty at the end. */
    byte[] readSome() throws IOException {
      byte[] bytes = new byte[1 << 16];
      return Arrays.copyOf(bytes, Math.max(0, in.read(bytes)));
    }

    int readInt() throws IOException {
      return ByteBuffer.wrap(read(4)).order(ByteOrder.LITTLE_ENDIAN).getInt();
    }

    /** Whether the proxy has closed without a word; a reset is an end too. */
    boolean ended() throws IOException {
      try {
        return in.read() < 0;
      } catch (java.net.SocketTimeoutException e) {
        return false;
      } catch (java.net.SocketException reset) {
        return true;
      }
    }

    /** Is gone, before the test has ended. */
    void hangUp() throws IOException {
      socket.close();
    }

    /** Sends no more. */
    void end() throws IOException {
      socket.shutdownOutput();
    }

    Socket socket() {
      return socket;
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}
