package qtfs.rexec;

import java.io.IOException;
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

/**
 * A request that was granted, from the making of its child to the telling of its end. For the
 * session's thread; what it is given stays the session's, but the request's descriptors are let go
 * of as soon as the program has them.
 */
final class Execution {
  private final ServerContext context;
  private final MessageChannel channel;
  private final Request request;
  private final Admission admission;
  private final RequestAudit audit;
  private final String peer;
  private final Wishes wishes;

  Execution(
      ServerContext context,
      MessageChannel channel,
      Request request,
      Admission admission,
      RequestAudit audit,
      String peer) {
    this.context = context;
    this.channel = channel;
    this.request = request;
    this.admission = admission;
    this.audit = audit;
    this.peer = peer;
    this.wishes = admission.asked().wishes();
  }

  /**
   * Runs the program with the files that it inherits.
   *
   * @return whether the client has been told of the end
   */
  boolean run(List<InheritedFile> inherited) throws IOException {
    Program program = admission.executable();
    try (ReopenedFiles files = ReopenedFiles.open(inherited);
        ProgramTerminal terminal = terminal()) {
      for (String problem : files.problems()) {
        tell(problem);
      }
      Spawn.Held held = hold(program, files, terminal);
      try (ChildProcess child = held.child()) {
        context.children().add(child);
        audit.child(child.pid());
        try {
          return runHeld(held, program, terminal);
        } finally {
          context.children().end(child);
        }
      }
    }
  }

  private @Nullable ProgramTerminal terminal() throws LinuxException {
    return wishes.terminal() == null
        ? null
        : ProgramTerminal.open(wishes.terminal(), request.take(0), request.take(1));
  }

  private Spawn.Held hold(Program program, ReopenedFiles files, @Nullable ProgramTerminal terminal)
      throws IOException {
    try {
      List<String> environment = ChildEnvironment.with(wishes, context.childEnvironment());
      Command command = Command.of(program, request.arguments(), environment, admission.user());
      Spawn spawn =
          new Spawn(command.path(), command.arguments(), command.environment(), descriptors(files));
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
      tell(request.program() + ": cannot be started: " + e.getMessage());
      throw e;
    }
  }

  /** What the program finds at which number. */
  private SortedMap<Integer, Fd> descriptors(ReopenedFiles files) throws ProtocolException {
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
        Optional<ExitStatus> ignored = child.reapIfLeft();
      }
      throw e;
    }
  }

  private boolean runHeld(Spawn.Held held, Program program, @Nullable ProgramTerminal terminal)
      throws IOException {
    ChildProcess child = held.child();
    if (!mayStart(child, terminal != null)) {
      held.abandon();
      audit.calledOff();
      return false;
    }
    int errno = program.errno();
    if (program.isFound()) {
      errno = release(held);
    } else {
      held.abandon();
    }
    if (errno == 0) {
      request.close();
      context.children().started(child);
      admission.started(child.pid());
      audit.started();
      Log.info(peer + ": " + request.program() + " pid " + child.pid() + ": started");
      return supervise(child, terminal);
    } else {
      audit.failed(Errno.message(errno));
      tellFailedExec(errno, terminal);
      return true;
    }
  }

  /** Lets the child go on to its exec; 0, or the errno for which it is no program. */
  private int release(Spawn.Held held) {
    try {
      Optional<Integer> failed = held.release();
      if (failed.isPresent()) {
        context.children().forget(held.child());
      }
      return failed.orElse(0);
    } catch (LinuxException e) {
      // It is still held, and ended with the session.
      Log.warn(peer + ": " + e.getMessage());
      return e.errno();
    }
  }

  /** Tells the client of the child and waits for its word, as long as it takes. */
  private boolean mayStart(ChildProcess child, boolean onTerminal) throws IOException {
    int terminal = onTerminal ? Message.PidMap.TERMINAL : 0;
    try {
      channel.send(new Message.PidMap(child.pid(), Message.PidMap.ALWAYS | terminal), List.of());
      return isTold(channel);
    } catch (IOException e) {
      Log.warn(peer + ": " + e.getMessage());
      return false;
    }
  }

  /** Waits for the client's word after PIDMAP, as long as it takes; whether it is a go. */
  static boolean isTold(MessageChannel channel) throws IOException {
    Poll.readable(Deadline.FOREVER, channel.socket());
    try (MessageChannel.Received received =
        channel.receive(Deadline.after(Session.REQUEST_LIMIT))) {
      return received != null
          && received.message() instanceof Message.Handshake handshake
          && handshake.go();
    }
  }

  private void tellFailedExec(int errno, @Nullable ProgramTerminal terminal) throws IOException {
    tell(request.program() + ": " + Errno.message(errno));
    request.close();
    if (terminal != null) {
      terminal.close();
    }
    int code = ExitCode.ofExecErrno(errno);
    channel.send(new Message.Kill(code, Message.Kill.End.EXITED), List.of());
  }

  private boolean supervise(ChildProcess child, @Nullable ProgramTerminal terminal)
      throws IOException {
    if (terminal != null) {
      terminal.start();
    }
    Supervision.Outcome outcome =
        new Supervision(channel, child, wishes, terminal).await(context.children());
    if (terminal != null) {
      if (!outcome.clientGone()) {
        terminal.drain();
      }
      terminal.close();
    }
    audit.ended(outcome, terminal);
    if (!outcome.clientGone()) {
      channel.send(outcome.message(), List.of());
    }
    return !outcome.clientGone();
  }

  private void tell(String line) {
    UserText.tell(request.stderr(), line);
  }
}
