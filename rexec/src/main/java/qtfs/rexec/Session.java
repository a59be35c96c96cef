package qtfs.rexec;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import qtfs.linux.ChildProcess;
import qtfs.linux.Errno;
import qtfs.linux.ExitStatus;
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
      try (RequestAudit audit = new RequestAudit(credentials)) {
        serve(channel, credentials.uid(), audit);
      }
    } catch (IOException e) {
      Log.warn(peer + ": " + e.getMessage());
    } catch (RuntimeException | Error e) {
      Log.error(peer + ": " + e);
    }
  }

  private void serve(MessageChannel channel, int uid, RequestAudit audit) throws IOException {
    Request request = Request.receive(channel, Deadline.after(REQUEST_LIMIT));
    if (request == null) {
      return;
    }
    audit.asked(request.arguments());
    try (request;
        Admission admission = Admission.judge(context, request, wishes(request), uid)) {
      audit.decided(admission.decision());
      String refusal = admission.refusal();
      if (ExplainWish.isIn(request.files())) {
        explain(channel, request, admission);
        audit.explained();
      } else if (refusal != null) {
        context.running().refused();
        tell(request.stderr(), request.program() + ": " + refusal);
      } else {
        run(channel, request, admission, audit);
      }
    } catch (IOException e) {
      audit.failed(String.valueOf(e.getMessage()));
      throw e;
    }
  }

  /** Tells the decision where the program's output would have gone, and its code as an end. */
  private void explain(MessageChannel channel, Request request, Admission admission)
      throws IOException {
    Explanation explanation =
        Explanation.of(admission.asked(), admission.decision(), context.hostName());
    channel.send(
        new Message.PidMap(0, Message.PidMap.TELLS_EVERY_END | Message.PidMap.EXPLAINS), List.of());
    if (isTold(channel)) {
      write(request.stdout(), explanation.text());
      request.close();
      channel.send(new Message.Kill(explanation.exitCode()), List.of());
    }
  }

  private void run(MessageChannel channel, Request request, Admission admission, RequestAudit audit)
      throws IOException {
    Program program = admission.executable();
    try (ReopenedFiles files = ReopenedFiles.open(files(request))) {
      for (String problem : files.problems()) {
        tell(request.stderr(), problem);
      }
      Spawn.Held held = hold(program, request, files);
      try (ChildProcess child = held.child()) {
        context.children().add(child);
        audit.child(child.pid());
        try {
          runHeld(channel, request, program, held, admission, audit);
        } finally {
          context.children().end(child);
        }
      }
    }
  }

  private Wishes wishes(Request request) throws ProtocolException {
    try {
      return WishesJson.read(request.files());
    } catch (ProtocolException e) {
      tell(request.stderr(), request.program() + ": refused, " + e.getMessage());
      throw e;
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

  private void runHeld(
      MessageChannel channel,
      Request request,
      Program program,
      Spawn.Held held,
      Admission admission,
      RequestAudit audit)
      throws IOException {
    ChildProcess child = held.child();
    if (!mayStart(channel, child)) {
      held.abandon();
      audit.calledOff();
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
      context.children().started(child);
      admission.started(child.pid());
      Log.info(peer + ": " + request.program() + " pid " + child.pid() + ": started");
      awaitEnd(channel, child, audit);
    } else {
      audit.failed(Errno.message(errno));
      tellFailedExec(channel, request, errno);
    }
  }

  /** Tells the client of the child and waits for its word, as long as it takes. */
  private boolean mayStart(MessageChannel channel, ChildProcess child) throws IOException {
    try {
      channel.send(new Message.PidMap(child.pid(), Message.PidMap.TELLS_EVERY_END), List.of());
      return isTold(channel);
    } catch (IOException e) {
      Log.warn(peer + ": " + e.getMessage());
      return false;
    }
  }

  private boolean isTold(MessageChannel channel) throws IOException {
    Poll.readable(Deadline.FOREVER, connection);
    try (MessageChannel.Received received = channel.receive(Deadline.after(REQUEST_LIMIT))) {
      return received != null
          && received.message() instanceof Message.Handshake handshake
          && handshake.go();
    }
  }

  private void tellFailedExec(MessageChannel channel, Request request, int errno)
      throws IOException {
    tell(request.stderr(), request.program() + ": " + Errno.message(errno));
    request.close();
    channel.send(new Message.Kill(ExitCode.ofExecErrno(errno)), List.of());
  }

  private void awaitEnd(MessageChannel channel, ChildProcess child, RequestAudit audit)
      throws IOException {
    int[] events = Poll.readable(Deadline.FOREVER, child.pidfd(), connection);
    boolean ended = events[0] != 0;
    if (!ended) {
      // A client has nothing more to say: whatever it is, the call is over.
      Children.kill(child);
      Poll.readable(Deadline.FOREVER, child.pidfd());
    }
    ExitStatus status = context.children().reap(child);
    audit.ended(status, ended);
    if (ended) {
      channel.send(new Message.Kill(status.shellCode()), List.of());
    }
  }

  /**
   * Writes a line to the client's user, as far as the pipe has room; to nothing but a pipe, since
   * the client may have passed anything.
   */
  private void tell(Fd stderr, String line) {
    write(stderr, "rexec_server: " + Log.escape(line) + "\n");
  }

  private void write(Fd stream, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    try {
      if (!FileStatus.of(stream).isFifo()) {
        return;
      }
      try (Fd pipe = stream.reopen(Fd.O_WRONLY | Fd.O_NONBLOCK);
          Arena arena = Arena.ofConfined()) {
        MemorySegment segment = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
        long ignored = pipe.write(segment, bytes.length);
      }
    } catch (LinuxException e) {
      Log.debug(peer + ": " + e.getMessage());
    }
  }
}
