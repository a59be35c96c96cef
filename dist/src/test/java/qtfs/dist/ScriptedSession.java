package qtfs.dist;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import qtfs.dist.TwoHosts.Host;
import qtfs.linux.Fd;
import qtfs.linux.Pipe;
import qtfs.linux.Poll;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;

/**
 * The same session again and again, from an application on A to a server on B, both in this
 * process: a request, a message with a file and a pipe, more bytes than one read, a half-close.
 *
 * <p>Every wait has an end, beyond which it is an {@link AssertionError}: a hang. Any other failure
 * is what an application would see, and is told.
 */
final class ScriptedSession implements Closeable {
  /** What {@link #run} gives if nothing was missing. */
  static final String RIGHT = "right";

  private static final String PATH = "/run/scripted.sock";
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final String MORE = "x".repeat(20_000);
  private static final char LAST = '\n'; // of each answer, however short

  private final Path requests;
  private final Path proxied;
  private final Path file;
  private final UnixListener listener;

  /** Starts the server. */
  ScriptedSession(TwoHosts hosts) throws IOException {
    requests = hosts.file(Host.A, "/run/qtfs/remote_uds.sock");
    proxied = hosts.file(Host.A, PATH + ".proxy");
    file = Files.writeString(hosts.shared().resolve("scripted"), "text of the file");
    listener = UnixListener.bind(hosts.file(Host.B, PATH), 16);
    Thread.ofPlatform().daemon().start(this::serve);
  }

  /** Runs it once: {@link #RIGHT}, or what the application was told instead. */
  String run() {
    try {
      request();
      try (PlainSocket socket = new PlainSocket(UnixSocket.connect(proxied.toString()))) {
        talk(socket);
      }
      return RIGHT;
    } catch (IOException e) {
      return String.valueOf(e.getMessage());
    }
  }

  private void request() throws IOException {
    try (PlainSocket asking = PlainSocket.ask(requests.toString(), PATH)) {
      await(asking.fd());
      asking.awaitReady(PATH);
    }
  }

  private void talk(PlainSocket socket) throws IOException {
    try (Fd open = Fd.open(file, Fd.O_RDONLY);
        Pipe pipe = Pipe.open()) {
      socket.send("three", List.of(open, pipe.read()));
      pipe.read().close();
      PlainSocket.writeAndClose(pipe.write(), "text of the pipe");
    }
    expect(socket, "three|text of the file|text of the pipe" + LAST);
    socket.send(MORE + LAST, List.of());
    expect(socket, MORE + LAST);
    UnixSocket.shutdownWrite(socket.fd());
    await(socket.fd());
    PlainSocket.Message end = socket.receive();
    if (!end.text().isEmpty()) {
      throw new IOException("more behind the end: " + end.text());
    }
  }

  /** Reads one answer, and compares it. */
  private static void expect(PlainSocket socket, String text) throws IOException {
    StringBuilder got = new StringBuilder();
    while (got.indexOf(String.valueOf(LAST)) < 0) {
      await(socket.fd());
      PlainSocket.Message message = socket.receive();
      if (message.text().isEmpty()) {
        throw new IOException("ended after " + got.length() + " bytes of " + text.length());
      }
      got.append(message.text());
    }
    if (!got.toString().equals(text)) {
      throw new IOException("got " + (got.length() > 100 ? got.length() + " bytes" : got));
    }
  }

  private static void await(Fd fd) {
    if (Poll.readable(LIMIT, fd)[0] == 0) {
      throw new AssertionError("nothing in " + LIMIT.toSeconds() + " s: it hangs");
    }
  }

  // ---- the server

  private void serve() {
    try {
      while (Poll.readable(Duration.ofDays(1), listener.number())[0] == Poll.IN) {
        int accepted = listener.accept(true);
        if (accepted >= 0) {
          Thread.ofPlatform().daemon().start(() -> answer(new PlainSocket(Fd.own(accepted))));
        }
      }
    } catch (RuntimeException closed) {
      // The test is over.
    }
  }

  private static void answer(PlainSocket socket) {
    try (socket) {
      while (Poll.readable(LIMIT, socket.fd())[0] != 0) {
        PlainSocket.Message message = socket.receive();
        if (message.text().isEmpty() && message.fds().isEmpty()) {
          return;
        }
        socket.send(answerTo(message), List.of());
      }
    } catch (IOException gone) {
      // The client is told the other end of it.
    }
  }

  /** The bytes themselves, or what the descriptors gave. */
  private static String answerTo(PlainSocket.Message message) throws IOException {
    if (!message.text().startsWith("three")) {
      return message.text();
    }
    StringBuilder answer = new StringBuilder(message.text());
    try {
      for (Fd fd : message.fds()) {
        answer.append('|').append(content(fd));
      }
    } finally {
      Fd.closeAll(message.fds());
    }
    return answer.append(LAST).toString();
  }

  private static String content(Fd fd) throws IOException {
    // A file is always readable.
    return Poll.readable(LIMIT, fd)[0] == 0 ? "nothing" : PlainSocket.readAll(fd);
  }

  @Override
  public void close() {
    listener.close();
  }
}
