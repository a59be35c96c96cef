package qtfs.rexec;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedMap;
import qtfs.linux.ChildProcess;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.LinuxException;
import qtfs.linux.Log;
import qtfs.linux.Poll;
import qtfs.linux.Spawn;
import qtfs.linux.UnixSocket;

/**
 * One connection to the server, from request to exit code. Runs on a platform thread of its own and
 * owns the connection.
 *
 * <p>The child is there before it is told of, and waits before its exec for the client's handshake.
 * From then on whichever comes first decides: the program's end is told to the client, the
 * connection's end kills the program.
 */
final class Session implements Runnable {
  private static final Duration REQUEST_LIMIT = Duration.ofSeconds(10);

  private final ServerContext context;
  private final Fd connection;
  private String peer = "?";

  Session(ServerContext context, Fd connection) {
    this.context = context;
    this.connection = connection;
  }

  @Override
  public void run() {
    try (connection;
        MessageChannel channel = new MessageChannel(connection)) {
      UnixSocket.Credentials credentials = UnixSocket.peerCredentials(connection);
      peer = "uid " + credentials.uid() + " pid " + credentials.pid();
      serve(channel);
    } catch (IOException e) {
      Log.warn(peer + ": " + e.getMessage());
    } catch (RuntimeException | Error e) {
      Log.error(peer + ": " + e);
    }
  }

  private void serve(MessageChannel channel) throws IOException {
    Request request = Request.receive(channel, Deadline.after(REQUEST_LIMIT));
    if (request == null) {
      return;
    }
    try (request) {
      if (context.isAllowed(request.arguments().getFirst())) {
        run(channel, request);
      } else {
        Log.warn(peer + ": refused " + request.program() + ": not in " + context.whitelistFile());
        tell(
            request.stderr(),
            request.program() + ": not in the whitelist of " + context.hostName());
      }
    }
  }

  private void run(MessageChannel channel, Request request) throws IOException {
    Program program = context.find(request.arguments().getFirst());
    try (ReopenedFiles files = ReopenedFiles.open(files(request))) {
      for (String problem : files.problems()) {
        tell(request.stderr(), problem);
      }
      Spawn.Held held = hold(program, request, files);
      try (ChildProcess child = held.child()) {
        context.children().add(child);
        try {
          runHeld(channel, request, program, held);
        } finally {
          context.children().end(child);
        }
      }
    }
  }

  private List<InheritedFile> files(Request request) throws ProtocolException {
    try {
      return FilesJson.read(request.files());
    } catch (ProtocolException e) {
      tell(request.stderr(), request.program() + ": refused, " + e.getMessage());
      throw e;
    }
  }

  private Spawn.Held hold(Program program, Request request, ReopenedFiles files)
      throws IOException {
    SortedMap<Integer, Fd> descriptors = request.descriptors();
    descriptors.putAll(files.opened());
    try {
      return new Spawn(program.path(), request.arguments(), context.childEnvironment(), descriptors)
          .startHeld(context.freeGate());
    } catch (IOException e) {
      tell(request.stderr(), request.program() + ": cannot be started: " + e.getMessage());
      throw e;
    }
  }

  private void runHeld(MessageChannel channel, Request request, Program program, Spawn.Held held)
      throws IOException {
    ChildProcess child = held.child();
    String what = peer + ": " + request.program() + " pid " + child.pid();
    if (!mayStart(channel, child)) {
      held.abandon();
      Log.info(what + ": called off");
      return;
    }
    int errno = program.errno();
    if (program.isFound()) {
      Optional<Integer> failed = held.release();
      errno = failed.orElse(0);
      if (failed.isPresent()) {
        context.children().forget(child);
      }
    } else {
      held.abandon();
    }
    if (errno == 0) {
      request.close();
      Log.info(what + ": started");
      awaitEnd(channel, child, what);
    } else {
      tellFailedExec(channel, request, errno, what);
    }
  }

  /** Tells the client of the child and waits for its word, as long as it takes. */
  private boolean mayStart(MessageChannel channel, ChildProcess child) throws IOException {
    try {
      channel.send(new Message.PidMap(child.pid(), Message.PidMap.TELLS_EVERY_END), List.of());
      Poll.readable(Deadline.FOREVER, connection);
      try (MessageChannel.Received received = channel.receive(Deadline.after(REQUEST_LIMIT))) {
        return received != null
            && received.message() instanceof Message.Handshake handshake
            && handshake.go();
      }
    } catch (IOException e) {
      Log.warn(peer + ": " + e.getMessage());
      return false;
    }
  }

  private void tellFailedExec(MessageChannel channel, Request request, int errno, String what)
      throws IOException {
    Log.info(what + ": " + Errno.message(errno));
    tell(request.stderr(), request.program() + ": " + Errno.message(errno));
    request.close();
    channel.send(new Message.Kill(ExitCode.ofExecErrno(errno)), List.of());
  }

  private void awaitEnd(MessageChannel channel, ChildProcess child, String what)
      throws IOException {
    long start = System.nanoTime();
    int[] events = Poll.readable(Deadline.FOREVER, child.pidfd(), connection);
    boolean ended = events[0] != 0;
    if (!ended) {
      // A client has nothing more to say: whatever it is, the call is over.
      Children.kill(child);
      Poll.readable(Deadline.FOREVER, child.pidfd());
    }
    int code = context.children().reap(child).shellCode();
    double seconds = (System.nanoTime() - start) / 1e9;
    String took = String.format(Locale.ROOT, " after %.3f s", seconds);
    if (ended) {
      channel.send(new Message.Kill(code), List.of());
      Log.info(what + ": ended with " + code + took);
    } else {
      Log.info(what + ": killed" + took + ", its client is gone");
    }
  }

  /**
   * Writes a line to the client's user, as far as the pipe has room; to nothing but a pipe, since
   * the client may have passed anything.
   */
  private void tell(Fd stderr, String line) {
    byte[] bytes = ("rexec_server: " + Log.escape(line) + "\n").getBytes(StandardCharsets.UTF_8);
    try {
      if (!FileStatus.of(stderr).isFifo()) {
        return;
      }
      try (Fd pipe = stderr.reopen(Fd.O_WRONLY | Fd.O_NONBLOCK);
          Arena arena = Arena.ofConfined()) {
        MemorySegment segment = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
        long ignored = pipe.write(segment, bytes.length);
      }
    } catch (LinuxException e) {
      Log.debug(peer + ": " + e.getMessage());
    }
  }
}
