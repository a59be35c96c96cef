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
import org.jspecify.annotations.Nullable;
import qtfs.linux.ByteStrings;
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
  static final Duration REQUEST_LIMIT = Duration.ofSeconds(10);

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
    int capabilities = Message.PidMap.ALWAYS | Message.PidMap.EXPLAINS;
    channel.send(new Message.PidMap(0, capabilities), List.of());
    if (isTold(channel)) {
      write(request.stdout(), explanation.text());
      request.close();
      int code = explanation.exitCode();
      channel.send(new Message.Kill(code, Message.Kill.End.EXITED), List.of());
    }
  }

  private void run(MessageChannel channel, Request request, Admission admission, RequestAudit audit)
      throws IOException {
    Wishes wishes = admission.asked().wishes();
    Program program = admission.executable();
    try (ReopenedFiles files = ReopenedFiles.open(files(request));
        ProgramTerminal terminal = terminal(request, wishes)) {
      for (String problem : files.problems()) {
        tell(request.stderr(), problem);
      }
      Spawn.Held held = hold(program, request, wishes, admission.user(), files, terminal);
      try (ChildProcess child = held.child()) {
        context.children().add(child);
        audit.child(child.pid());
        try {
          runHeld(new Call(channel, request, program, terminal, admission, audit), held);
        } finally {
          context.children().end(child);
        }
      }
    }
  }

  /** What belongs to one program from its request to its end. */
  private record Call(
      MessageChannel channel,
      Request request,
      Program program,
      @Nullable ProgramTerminal terminal,
      Admission admission,
      RequestAudit audit) {
    Wishes wishes() {
      return admission.asked().wishes();
    }
  }

  private List<InheritedFile> files(Request request) throws ProtocolException {
    try {
      return FilesJson.read(request.files());
    } catch (ProtocolException e) {
      throw refused(request, e.getMessage());
    }
  }

  private Wishes wishes(Request request) throws ProtocolException {
    Wishes wishes;
    try {
      wishes = WishesJson.read(request.files());
    } catch (ProtocolException e) {
      throw refused(request, e.getMessage());
    }
    int wished = wishes.descriptors().size();
    if (request.further().size() != wished) {
      throw refused(
          request, request.further().size() + " of " + wished + " descriptors of --fd arrived");
    }
    return wishes;
  }

  /** Tells the client's user, and the caller by the exception to be thrown. */
  private ProtocolException refused(Request request, @Nullable String why) {
    String line = request.program() + ": refused, " + why;
    tell(request.stderr(), line);
    return new ProtocolException(line);
  }

  private static @Nullable ProgramTerminal terminal(Request request, Wishes wishes)
      throws LinuxException {
    return wishes.terminal() == null
        ? null
        : ProgramTerminal.open(wishes.terminal(), request.take(0), request.take(1));
  }

  private Spawn.Held hold(
      Program program,
      Request request,
      Wishes wishes,
      @Nullable String user,
      ReopenedFiles files,
      @Nullable ProgramTerminal terminal)
      throws IOException {
    try {
      List<String> environment = ChildEnvironment.with(wishes, context.childEnvironment());
      Command command = Command.of(program, request.arguments(), environment, user);
      Spawn spawn =
          new Spawn(
              command.path(),
              command.arguments(),
              command.environment(),
              descriptors(request, wishes, files));
      if (wishes.cwd() != null) {
        requireDirectory(wishes.cwd());
        spawn.in(wishes.cwd());
      }
      if (terminal != null) {
        spawn.on(terminal.pty());
      }
      Spawn.Held held = spawn.startHeld(context.freeGate());
      if (wishes.nice() != 0) {
        nice(held, wishes.nice());
      }
      return held;
    } catch (IOException e) {
      tell(request.stderr(), request.program() + ": cannot be started: " + e.getMessage());
      throw e;
    }
  }

  /** What the program finds at which number. */
  private static SortedMap<Integer, Fd> descriptors(
      Request request, Wishes wishes, ReopenedFiles files) throws ProtocolException {
    SortedMap<Integer, Fd> descriptors = request.descriptors();
    if (wishes.terminal() != null && wishes.terminal().stderr()) {
      descriptors.remove(2);
    }
    descriptors.putAll(files.opened());
    for (int i = 0; i < wishes.descriptors().size(); i++) {
      if (descriptors.put(wishes.descriptors().get(i), request.further().get(i)) != null) {
        throw new ProtocolException("descriptor " + wishes.descriptors().get(i) + " twice");
      }
    }
    return descriptors;
  }

  /** Before the start: afterwards it could not be told from a program that is not there. */
  private static void requireDirectory(String cwd) throws LinuxException {
    String path = ByteStrings.text(cwd);
    try (Fd directory = Fd.open(path, Fd.O_PATH, 0)) {
      if (!FileStatus.of(directory).isDirectory()) {
        throw new LinuxException("directory " + path, Errno.ENOTDIR);
      }
    }
  }

  private static void nice(Spawn.Held held, int value) throws LinuxException {
    try {
      held.child().nice(value);
    } catch (LinuxException e) {
      try (ChildProcess child = held.child()) {
        held.abandon();
        ExitStatus ignored = child.reap();
      }
      throw e;
    }
  }

  private void runHeld(Call call, Spawn.Held held) throws IOException {
    Request request = call.request;
    ChildProcess child = held.child();
    if (!mayStart(call, child)) {
      held.abandon();
      call.audit.calledOff();
      return;
    }
    int errno = call.program.errno();
    if (call.program.isFound()) {
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
      call.admission.started(child.pid());
      Log.info(peer + ": " + request.program() + " pid " + child.pid() + ": started");
      supervise(call, child);
    } else {
      call.audit.failed(Errno.message(errno));
      tellFailedExec(call, errno);
    }
  }

  /** Tells the client of the child and waits for its word, as long as it takes. */
  private boolean mayStart(Call call, ChildProcess child) throws IOException {
    int terminal = call.terminal == null ? 0 : Message.PidMap.TERMINAL;
    try {
      call.channel.send(
          new Message.PidMap(child.pid(), Message.PidMap.ALWAYS | terminal), List.of());
      return isTold(call.channel);
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

  private void tellFailedExec(Call call, int errno) throws IOException {
    tell(call.request.stderr(), call.request.program() + ": " + Errno.message(errno));
    call.request.close();
    if (call.terminal != null) {
      call.terminal.close();
    }
    int code = ExitCode.ofExecErrno(errno);
    call.channel.send(new Message.Kill(code, Message.Kill.End.EXITED), List.of());
  }

  private void supervise(Call call, ChildProcess child) throws IOException {
    if (call.terminal != null) {
      call.terminal.start();
    }
    Supervision.Outcome outcome =
        new Supervision(call.channel, child, call.wishes(), call.terminal)
            .await(context.children());
    if (call.terminal != null) {
      if (!outcome.clientGone()) {
        call.terminal.drain();
      }
      call.terminal.close();
    }
    call.audit.ended(outcome);
    if (!outcome.clientGone()) {
      call.channel.send(outcome.message(), List.of());
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
