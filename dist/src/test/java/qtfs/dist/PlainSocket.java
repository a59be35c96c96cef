package qtfs.dist;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.MessageIo;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;

/**
 * One end of a unix stream, as an application holds it that knows nothing of the proxy but the
 * request that the kernel module would make for it.
 *
 * <p>Written from the protocol's description and not from our connector, so that the two check each
 * other. For one thread; owns its socket.
 */
record PlainSocket(Fd fd) implements Closeable {
  private static final String REQUESTS = "/var/run/qtfs/remote_uds.sock";
  private static final int REQUEST_LENGTH = 112;
  private static final int BUFFER = 65536;

  /** A message as recvmsg(2) returned it. */
  record Message(String text, List<Fd> fds) {}

  /** Connects to a path of this host or, where it has none, of the other. */
  static PlainSocket connect(String path) throws IOException {
    Fd socket = UnixSocket.open(UnixSocket.Type.STREAM, true);
    int result = UnixSocket.connect(socket, path);
    if (result == -Errno.ENOENT || result == -Errno.ECONNREFUSED) {
      request(path);
      result = UnixSocket.connect(socket, path + ".proxy");
    }
    if (result < 0) {
      socket.close();
      throw new LinuxException("connect " + path, -result);
    }
    return new PlainSocket(socket);
  }

  /** The first connection to a path, waited for; nobody listens there afterwards. */
  static PlainSocket acceptOne(Path path) throws IOException {
    try (UnixListener listener = UnixListener.bind(path, 1)) {
      return accept(listener);
    }
  }

  /** The next connection, waited for. */
  static PlainSocket accept(UnixListener listener) {
    AtomicInteger accepted = new AtomicInteger();
    Await.until("a client", () -> accepted.updateAndGet(_ -> listener.accept(true)) >= 0);
    return new PlainSocket(Fd.own(accepted.get()));
  }

  /** Asks this host's udsproxyd to have a connection to the path ready at {@code <path>.proxy}. */
  static void request(String path) throws IOException {
    request(REQUESTS, path);
  }

  /** The same of the udsproxyd that takes requests at a socket. */
  static void request(String requests, String path) throws IOException {
    try (PlainSocket proxy = ask(requests, path)) {
      proxy.awaitReady(path);
    }
  }

  /** The first half of {@link #request}: the answer is still to come. */
  static PlainSocket ask(String path) throws IOException {
    return ask(REQUESTS, path);
  }

  /** Asks the udsproxyd that takes requests at a socket. */
  static PlainSocket ask(String requests, String path) throws IOException {
    byte[] request =
        ByteBuffer.allocate(REQUEST_LENGTH)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putShort((short) UnixSocket.Type.STREAM.number())
            .putShort((short) 0)
            .put(path.getBytes(UTF_8))
            .array();
    PlainSocket proxy = new PlainSocket(UnixSocket.connect(requests));
    proxy.send(request, List.of());
    return proxy;
  }

  /** The second half of {@link #request}. */
  void awaitReady(String path) throws IOException {
    byte[] answer = receive().text().getBytes(UTF_8);
    if (answer.length != 4 || answer[0] != 1) {
      throw new IOException("udsproxyd refuses " + path);
    }
  }

  void send(String text, List<Fd> fds) throws IOException {
    send(text.getBytes(UTF_8), fds);
  }

  /** Sends bytes that fit the socket's buffer, as one message. */
  private void send(byte[] bytes, List<Fd> fds) throws IOException {
    try (Arena arena = Arena.ofConfined();
        MessageIo io = new MessageIo()) {
      MemorySegment buffer = arena.allocateFrom(JAVA_BYTE, bytes);
      io.piece(0, buffer.address(), bytes.length);
      long sent = check(io.send(fd, 1, fds), "sendmsg");
      if (sent != bytes.length) {
        throw new IOException("sent " + sent + " of " + bytes.length + " bytes");
      }
    }
  }

  /** Waits for bytes; an empty text without descriptors is the end. */
  Message receive() throws IOException {
    try (Arena arena = Arena.ofConfined();
        MessageIo io = new MessageIo()) {
      MemorySegment buffer = arena.allocate(BUFFER);
      io.piece(0, buffer.address(), BUFFER);
      long count = check(io.receive(fd, 1), "recvmsg");
      byte[] bytes = buffer.asSlice(0, count).toArray(JAVA_BYTE);
      return new Message(new String(bytes, UTF_8), io.takeFds());
    }
  }

  /** Everything that a descriptor still gives, to its end. */
  static String readAll(Fd fd) throws IOException {
    StringBuilder text = new StringBuilder();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(BUFFER);
      for (long n; (n = check(fd.read(buffer, BUFFER), "read " + fd)) > 0; ) {
        text.append(new String(buffer.asSlice(0, n).toArray(JAVA_BYTE), UTF_8));
      }
    }
    return text.toString();
  }

  /** Writes a short text, and closes the descriptor. */
  static void writeAndClose(Fd fd, String text) throws IOException {
    try (fd;
        Arena arena = Arena.ofConfined()) {
      byte[] bytes = text.getBytes(UTF_8);
      check(fd.write(arena.allocateFrom(JAVA_BYTE, bytes), bytes.length), "write " + fd);
    }
  }

  private static long check(long result, String what) throws LinuxException {
    if (result < 0) {
      throw new LinuxException(what, (int) -result);
    }
    return result;
  }

  @Override
  public void close() {
    fd.close();
  }
}
