package qtfs.rexec;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import qtfs.linux.Fd;
import qtfs.linux.MessageIo;
import qtfs.linux.Pipe;
import qtfs.linux.Poll;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;
import qtfs.testing.OpenDescriptors;
import qtfs.udsproxy.connector.RemoteConnector;

/**
 * The other host of a {@link ModelledCall}: sessions of rexec_server in this JVM, each behind a
 * {@link Link} that can be cut. For one thread.
 */
final class ModelledServer {
  /** No number of a process: the client's pid file is named by it. */
  static final int CLIENT = 1_999_999_998;

  /** No divisor of a buffer's size, so that what is in the wrong place differs. */
  private static final int PERIOD = 65521;

  private static final int LENGTH = 1 << 20;

  private final Path directory;
  private final UnixListener listener;
  private final ServerContext context;
  private final byte[] pattern = new byte[LENGTH];

  ModelledServer() {
    for (int i = 0; i < LENGTH; i++) {
      int at = i % PERIOD;
      pattern[i] = (byte) (at * 31 + (at >> 8));
    }
    try {
      directory = Files.createTempDirectory("model");
      listener = UnixListener.bind(directory.resolve("rexec_uds.sock"), 8);
      Path whitelist = Harness.whitelist(directory, "/bin/bash");
      Files.write(pattern(), pattern);
      context =
          new ServerContext(
              CurrentPolicy.load(PolicyFiles.beside(whitelist)),
              directory,
              List.of("PATH=/usr/bin:/bin", "LANG=C"));
      context.running().adopt();
    } catch (IOException | PolicyFiles.BrokenException e) {
      throw new IllegalStateException(e);
    }
    directory.toFile().deleteOnExit();
    for (String name : List.of("pids", "rexec_uds.sock", "whitelist", "pattern", "programs")) {
      directory.resolve(name).toFile().deleteOnExit();
    }
  }

  /** The file that all bytes are of. */
  Path pattern() {
    return directory.resolve("pattern");
  }

  int length() {
    return LENGTH;
  }

  byte[] bytes(int from, int length) {
    return Arrays.copyOfRange(pattern, from, from + length);
  }

  Client.Settings settings(Caller caller) {
    return new Client.Settings(
        new RemoteConnector(directory.toString(), false),
        directory.toString(),
        caller,
        null,
        Manner.USUAL,
        true,
        false);
  }

  /** One sequence of steps, after which nothing may be left. */
  void run(List<ModelStep> steps) throws Exception {
    OpenDescriptors before = OpenDescriptors.now();
    PrintStream stderr = System.err;
    ByteArrayOutputStream log = new ByteArrayOutputStream();
    System.setErr(new PrintStream(log, false, StandardCharsets.UTF_8));
    try {
      ModelledCall.run(this, steps);
    } catch (AssertionError e) {
      throw new AssertionError(e.getMessage() + "\n" + log.toString(StandardCharsets.UTF_8), e);
    } finally {
      System.setErr(stderr);
    }
    Await.until("no child", () -> context.children().size() == 0);
    before.awaitNoMore();
    if (context.running().counts().running() != 0
        || Files.exists(directory.resolve("pids/" + CLIENT))) {
      throw new AssertionError(context.running().counts() + ", or the pid file is left");
    }
  }

  /** Waits for a client, and connects it to a session of its own. */
  Link link() throws IOException {
    return new Link(Pipe.open());
  }

  /** A connection from the client to the server, through somebody who can cut it. */
  final class Link implements Closeable {
    private final Pipe scissors;
    private final UnixSocket.Pair toServer = UnixSocket.pair();
    private final CompletableFuture<Fd> toClient = new CompletableFuture<>();
    private final CompletableFuture<Boolean> relayed;
    private final CompletableFuture<Boolean> served;

    private Link(Pipe scissors) throws IOException {
      this.scissors = scissors;
      this.served =
          Harness.background(
              () -> {
                new Session(context, toServer.second(), () -> {}).run();
                return true;
              });
      this.relayed = Harness.background(this::relay);
    }

    private boolean relay() throws IOException {
      Await.until("a client", () -> Poll.readable(Harness.LIMIT, listener.socket())[0] != 0);
      try (Fd client = Fd.own(listener.accept(true));
          Fd server = toServer.first();
          MessageIo io = MessageIo.ofThisThread();
          Arena arena = Arena.ofConfined()) {
        toClient.complete(client);
        MemorySegment space = arena.allocate(1 << 16);
        boolean connected = true;
        while (connected) {
          int[] events = Poll.readable(Deadline.FOREVER, client, server, scissors.read());
          connected =
              events[2] == 0
                  && (events[0] == 0 || pass(io, space, client, server))
                  && (events[1] == 0 || pass(io, space, server, client));
        }
      }
      return true;
    }

    private static boolean pass(MessageIo io, MemorySegment space, Fd from, Fd to) {
      io.piece(0, space.address(), space.byteSize());
      long received = io.receive(from, 1);
      List<Fd> fds = io.takeFds();
      if (received > 0) {
        io.piece(0, space.address(), received);
        received = io.send(to, 1, fds);
      }
      Fd.closeAll(fds);
      return received > 0;
    }

    void cut() {
      scissors.write().close();
    }

    void slipToClient() throws Exception {
      slip(Harness.get(toClient));
    }

    void slipToServer() {
      slip(toServer.first());
    }

    private static void slip(Fd to) {
      try (Arena arena = Arena.ofConfined()) {
        byte[] bytes = "HTTP/1.1 400 Bad Request".getBytes(StandardCharsets.UTF_8);
        long ignored = to.write(arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes), bytes.length);
      }
    }

    @Override
    public void close() {
      try {
        Harness.get(relayed);
        Harness.get(served);
      } catch (Exception e) {
        throw new AssertionError(e);
      } finally {
        scissors.close();
      }
    }
  }
}
