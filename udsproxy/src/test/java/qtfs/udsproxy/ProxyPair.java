package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Fd;
import qtfs.linux.Poll;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.testing.Ports;
import qtfs.udsproxy.connector.ConnectRequest;

/**
 * Two proxies on loopback, "A" and "B", with run directories of their own. They share the file
 * system: a server listens at a path, and who is connected through A gets there by B.
 */
final class ProxyPair implements AutoCloseable {
  static final Deadlines DEADLINES =
      new Deadlines(
          Duration.ofSeconds(5),
          Duration.ofSeconds(5),
          Duration.ofSeconds(5),
          Duration.ofSeconds(1));

  private final Path directory;
  private final ProxyDaemon a;
  private final ProxyDaemon b;

  ProxyPair(Path directory, Deadlines deadlines, String whitelist, int threads)
      throws IOException, StartException {
    this(directory, loopback(), loopback(), deadlines, whitelist, threads, _ -> {}, _ -> {});
  }

  /** A pair linked in a way of its own, that lets everything in the directory be reached. */
  ProxyPair(Path directory, Endpoint a, Endpoint b) throws IOException, StartException {
    this(directory, a, b, Dialect.EXTENDED);
  }

  /** Such a pair whose proxy A speaks no more than this dialect. */
  ProxyPair(Path directory, Endpoint a, Endpoint b, Dialect dialect)
      throws IOException, StartException {
    this(
        directory,
        a,
        b,
        DEADLINES,
        allowing(directory),
        1,
        config -> config.dialect(dialect),
        _ -> {});
  }

  /** A pair that lets everything in the directory be reached, with TLS on either side or not. */
  static ProxyPair secured(Path directory, @Nullable TlsConfig a, @Nullable TlsConfig b)
      throws IOException, StartException {
    return secured(directory, DEADLINES, a, b);
  }

  static ProxyPair secured(
      Path directory, Deadlines deadlines, @Nullable TlsConfig a, @Nullable TlsConfig b)
      throws IOException, StartException {
    return new ProxyPair(
        directory,
        loopback(),
        loopback(),
        deadlines,
        allowing(directory),
        1,
        secured(a),
        secured(b));
  }

  /** A pair with a whitelist and so many event loops, linked by TLS if told how. */
  static ProxyPair of(Path directory, String whitelist, int threads, @Nullable TlsConfig tls)
      throws IOException, StartException {
    return new ProxyPair(
        directory,
        loopback(),
        loopback(),
        DEADLINES,
        whitelist,
        threads,
        secured(tls),
        secured(tls));
  }

  private static Consumer<ProxyConfig.Builder> secured(@Nullable TlsConfig tls) {
    return config -> {
      if (tls != null) {
        config.tls(tls);
      }
    };
  }

  private ProxyPair(
      Path directory,
      Endpoint a,
      Endpoint b,
      Deadlines deadlines,
      String whitelist,
      int threads,
      Consumer<ProxyConfig.Builder> moreOfA,
      Consumer<ProxyConfig.Builder> moreOfB)
      throws IOException, StartException {
    this.directory = directory;
    Path file = Files.writeString(directory.resolve("whitelist"), whitelist);
    this.a = ProxyDaemon.start(config("a", a, b, file, deadlines, threads, moreOfA));
    this.b = ProxyDaemon.start(config("b", b, a, file, deadlines, threads, moreOfB));
  }

  /** A pair that lets everything in the directory be reached. */
  static ProxyPair open(Path directory) throws IOException, StartException {
    return open(directory, Dialect.EXTENDED);
  }

  /** A pair whose proxy A speaks no more than this dialect. */
  static ProxyPair open(Path directory, Dialect dialect) throws IOException, StartException {
    return new ProxyPair(directory, loopback(), loopback(), dialect);
  }

  static String allowing(Path directory) {
    StringBuilder text = new StringBuilder();
    for (String group : List.of("Udsaccept", "Open", "Read", "Write")) {
      text.append("[").append(group).append("]\nPath=").append(directory).append('\n');
    }
    return text.toString();
  }

  private ProxyConfig config(
      String name,
      Endpoint address,
      Endpoint peer,
      Path whitelist,
      Deadlines deadlines,
      int threads,
      Consumer<ProxyConfig.Builder> more) {
    ProxyConfig.Builder config =
        ProxyConfig.between(address, peer)
            .threads(threads)
            .runDirectory(directory.resolve(name))
            .whitelist(whitelist)
            .deadlines(deadlines);
    more.accept(config);
    return config.build();
  }

  static Endpoint loopback() throws IOException {
    return new Endpoint.Tcp(Ports.freeAddress());
  }

  ProxyDaemon a() {
    return a;
  }

  ProxyDaemon b() {
    return b;
  }

  Path path(String name) {
    return directory.resolve(name);
  }

  /** Has a socket of any type where A's applications are led to. */
  UnixListener listen(UnixSocket.Type type, String name) throws IOException {
    return UnixListener.bind(path(name), type, 1024);
  }

  /** Listens where A's applications are led to. */
  UnixListener listen(String name) throws IOException {
    return UnixListener.bind(path(name), 1024);
  }

  /** A's answer to a request, 1 or 0; -1 if it closes without one. */
  int ask(byte[] request) throws IOException {
    return ask(directory.resolve("a"), request);
  }

  private static int ask(Path runDirectory, byte[] request) throws IOException {
    try (Fd connector = UnixSocket.connect(runDirectory.resolve("remote_uds.sock").toString())) {
      Sockets.write(connector, request);
      byte[] answer = Sockets.read(connector, 4);
      return answer.length < 4 ? -1 : answer[0];
    }
  }

  /** An application's connection through both proxies. */
  Fd connect(String name) throws IOException {
    return connect(UnixSocket.Type.STREAM, name);
  }

  /** An application's connection of any type through both proxies. */
  Fd connect(UnixSocket.Type type, String name) throws IOException {
    return connect(directory.resolve("a"), type, path(name));
  }

  /** A connection that the daemon of a run directory has asked its peer for. */
  static Fd connect(Path runDirectory, UnixSocket.Type type, Path path) throws IOException {
    assertThat(ask(runDirectory, new ConnectRequest(type, path.toString()).encode())).isEqualTo(1);
    return UnixSocket.connect(type, path + ".proxy");
  }

  /** The next connection of a listener, blocking; within 5 s. */
  static Fd accept(UnixListener listener) throws IOException {
    for (long end = System.nanoTime() + 5_000_000_000L; System.nanoTime() < end; ) {
      int accepted = listener.accept(true);
      if (accepted >= 0) {
        return Fd.own(accepted);
      }
      Thread.onSpinWait();
    }
    throw new IOException("nobody connects to " + listener.path());
  }

  /** Whether the descriptor has something to read, within 5 s. */
  static boolean readable(Fd fd) {
    return Poll.readable(Duration.ofSeconds(5), fd)[0] != 0;
  }

  @Override
  public void close() {
    a.stop();
    b.stop();
  }
}
