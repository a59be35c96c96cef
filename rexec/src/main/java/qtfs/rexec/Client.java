package qtfs.rexec;

import static java.util.Objects.requireNonNull;

import java.io.File;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import qtfs.linux.ByteStrings;
import qtfs.linux.Fd;
import qtfs.linux.Log;
import qtfs.linux.RawTerminal;
import qtfs.linux.Signals;
import qtfs.linux.UnixSocket;
import qtfs.udsproxy.connector.RemoteConnector;

/**
 * One call of a program on the other host, from connect to exit code.
 *
 * <p>The calling thread talks to the server, while the caller's streams are copied. Once the
 * program has ended its output is copied to the end, but whoever inherited it (a daemon that the
 * program left behind) cannot hold the call up, unless asked to: some silent seconds end it.
 */
final class Client {
  /** How long a C server may be silent after all output has ended: it forgets to tell some ends. */
  private static final int C_SILENCE_SECONDS = 5;

  private static final Duration ANSWER_LIMIT = Duration.ofSeconds(60);
  private static final Duration TICK = Duration.ofSeconds(1);

  private final Settings settings;
  private final Caller caller;
  private final String program;
  private final List<String> arguments;

  /**
   * What a call finds around it.
   *
   * @param runDir rexec's, with the server's socket
   * @param handshake null to start the program at once
   * @param manner what the options say
   * @param sweeps whether to remove the pid files of the dead
   * @param log whether to tell what happens
   */
  record Settings(
      RemoteConnector connector,
      String runDir,
      Caller caller,
      @Nullable HandshakePipes handshake,
      Manner manner,
      boolean sweeps,
      boolean log) {

    /** As an environment says. */
    static Settings of(
        Map<String, String> environment, Caller caller, Manner manner, boolean sweeps, boolean log)
        throws RexecException {
      return new Settings(
          RemoteConnector.of(environment),
          Rexec.runDir(environment.get("REXEC_RUN_DIR")),
          caller,
          HandshakePipes.of(
              environment.get(HandshakePipes.READ), environment.get(HandshakePipes.WRITE), caller),
          manner,
          sweeps,
          log);
    }
  }

  /**
   * How a call ended.
   *
   * @param code the program's exit code, or 128 + signal
   * @param how as far as the server tells
   */
  record Ending(int code, Message.Kill.End how) {
    /**
     * The signal that ended the program, 0 for none; where a C server does not tell, by its code.
     */
    int signal() {
      boolean signaled =
          how == Message.Kill.End.SIGNALED || (how == Message.Kill.End.UNTOLD && code > 128);
      return signaled ? code - 128 : 0;
    }
  }

  /**
   * A call that has not begun.
   *
   * @param arguments from {@code argv[0]} on, byte strings
   */
  Client(Settings settings, List<String> arguments) {
    this.settings = settings;
    this.caller = settings.caller;
    this.program = ByteStrings.text(arguments.get(0));
    this.arguments = arguments;
  }

  /**
   * Runs the program.
   *
   * @throws RexecException if it did not run, or its end stayed unknown
   */
  Ending run() throws RexecException {
    File pids = PidFile.makeDirectory(settings.runDir);
    RemoteConnector.Connection connection = connect();
    try (Fd socket = connection.socket();
        MessageChannel channel = new MessageChannel(socket, caller.waiting())) {
      return run(channel, pids, connection.keepsPipes());
    } catch (IOException e) {
      throw new RexecException(ExitCode.OWN_FAILURE, program + ": " + e.getMessage());
    } finally {
      caller.signals().keep();
      caller.signals().leftovers().close();
    }
  }

  /** Whether the caller wants to end as its program does. */
  boolean sameSignal() {
    return settings.manner.sameSignal();
  }

  private RemoteConnector.Connection connect() throws RexecException {
    try {
      return settings.connector.connection(
          UnixSocket.Type.STREAM, settings.runDir + "/rexec_uds.sock");
    } catch (IOException e) {
      throw new RexecException(ExitCode.OWN_FAILURE, String.valueOf(e.getMessage()));
    }
  }

  private Ending run(MessageChannel channel, File pids, boolean keepsPipes)
      throws IOException, RexecException {
    Streams streams = new Streams(caller, keepsPipes);
    try {
      return run(channel, pids, streams);
    } finally {
      streams.abandon();
    }
  }

  private Ending run(MessageChannel channel, File pids, Streams streams)
      throws IOException, RexecException {
    Wishes wishes = UserTerminal.addTo(settings);
    Outputs outputs = streams.outputs();
    request(channel, streams, wishes);
    outputs.start();
    if (settings.sweeps) {
      PidFile.sweep(pids);
    }
    Message.PidMap pidMap = awaitPidMap(channel, outputs);
    giveUpUnlessAble(channel, pidMap, wishes);
    caller.signals().leftovers().add(writePidFile(pids, pidMap.pid()));
    Message.Handshake answer = askManager(channel);
    RawTerminal terminal = UserTerminal.makeRaw(settings, pidMap);
    SignalsToProgram toProgram =
        new SignalsToProgram(caller.signals(), channel.socket(), pidMap, terminal);
    caller.signals().passTo(toProgram, () -> shakeHands(channel, answer));
    if (terminal != null) {
      // It may have another size than when the program was asked for.
      toProgram.receive(Signals.Name.WINCH);
    }
    streams.startInput();
    Message.Kill end = awaitEnd(channel, pidMap, outputs);
    caller.signals().keep();
    if (drain(outputs, channel, pidMap, end)) {
      awaitEcho(channel, pidMap, end);
    }
    caller.signals().leftovers().close();
    streams.tellFailures();
    return ending(end);
  }

  /** Whether all has come, as far as can be seen from here. */
  private boolean drain(
      Outputs outputs, MessageChannel channel, Message.PidMap pidMap, Message.Kill end)
      throws RexecException {
    Manner.Wait wait = settings.manner.whenToEnd();
    boolean ended = outputs.drain(wait.silenceMillis());
    if (!ended && wait == Manner.Wait.GRACE && pidMap.can(Message.PidMap.ECHOES)) {
      // A link that stands still is silent too; when it moves again, output may take as long again.
      long asked = System.nanoTime();
      awaitEcho(channel, pidMap, end);
      int took = (int) Duration.ofNanos(System.nanoTime() - asked).toMillis();
      ended = outputs.drain(wait.silenceMillis() / 2 + 2 * took);
    }
    if (!ended && wait == Manner.Wait.GRACE) {
      caller.complain(
          program
              + ": has ended, but something it has started on the other host keeps its output open;"
              + " not waiting for that");
    }
    return ended;
  }

  /**
   * Output also ends where a proxy was killed, with the rest of it. So was the connection then, and
   * who can still be asked through it has lost nothing.
   */
  private void awaitEcho(MessageChannel channel, Message.PidMap pidMap, Message.Kill end)
      throws RexecException {
    if (!pidMap.can(Message.PidMap.ECHOES)) {
      return;
    }
    try {
      channel.send(new Message.Echo(), List.of());
      try (MessageChannel.Received received = channel.receive(Deadline.after(ANSWER_LIMIT))) {
        if (received != null && received.message() instanceof Message.Echo) {
          return;
        }
      }
    } catch (IOException e) {
      log(e.getMessage());
    }
    throw lost(
        "after its end (exit code " + end.exitStatus() + "), and maybe some of its output with it");
  }

  private Ending ending(Message.Kill end) {
    if (end.end() == Message.Kill.End.TIMED_OUT) {
      caller.complain(program + ": ended, it took longer than --timeout allows");
    }
    return new Ending(end.exitStatus(), end.end());
  }

  /** Sends what to run, and lets go of the program's ends of the pipes. */
  private void request(MessageChannel channel, Streams streams, Wishes wishes) throws IOException {
    try (streams) {
      List<Fd> fds = new ArrayList<>();
      fds.add(streams.programsStdin());
      for (int number : wishes.descriptors()) {
        fds.add(requireNonNull(caller.inherited(number)));
      }
      channel.send(new Message.Exec(arguments, FilesJson.write(caller.files(), wishes)), fds);
      channel.send(new Message.PipeMessage(1), List.of(streams.programsStdout()));
      channel.send(new Message.PipeMessage(2), List.of(streams.programsStderr()));
    }
    log("request sent");
  }

  private Message.PidMap awaitPidMap(MessageChannel channel, Outputs outputs)
      throws IOException, RexecException {
    MessageChannel.Received received = channel.receive(Deadline.after(ANSWER_LIMIT));
    if (received == null) {
      outputs.drain(Manner.Wait.GRACE.silenceMillis());
      // The server's own words have gone to standard error already.
      throw new RexecException(
          ExitCode.CANNOT_EXECUTE,
          outputs.anyError()
              ? ""
              : program
                  + ": refused by the server (not in its whitelist?), or the server ended before it"
                  + " could start the program");
    }
    try (received) {
      if (received.message() instanceof Message.PidMap pidMap && pidMap.pid() > 0) {
        log("remote pid " + pidMap.pid());
        return pidMap;
      }
      throw new ProtocolException("the server sent another message than the program's pid");
    }
  }

  private PidFile writePidFile(File pids, int remotePid) throws RexecException {
    try {
      return PidFile.write(pids, caller.pid(), remotePid);
    } catch (IOException e) {
      throw new RexecException(
          ExitCode.OWN_FAILURE, "cannot write the pid file: " + e.getMessage());
    }
  }

  /** Calls the program off where it would run as if nothing had been asked for. */
  private void giveUpUnlessAble(MessageChannel channel, Message.PidMap pidMap, Wishes wishes)
      throws IOException, RexecException {
    String missing = settings.manner.missing(pidMap, wishes);
    if (!missing.isEmpty()) {
      channel.send(Message.Handshake.GIVE_UP, List.of());
      throw new RexecException(
          ExitCode.OWN_FAILURE,
          program
              + ": not started, since the server on the other host cannot do "
              + missing
              + "; a C rexec_server cannot");
    }
  }

  private Message.Handshake askManager(MessageChannel channel) throws IOException, RexecException {
    HandshakePipes pipes = settings.handshake;
    if (pipes == null) {
      return Message.Handshake.GO;
    }
    HandshakePipes.Outcome outcome = pipes.exchange(channel.socket(), caller.waiting());
    if (outcome == HandshakePipes.Outcome.ANSWERED) {
      return new Message.Handshake(pipes.answer());
    } else if (outcome == HandshakePipes.Outcome.CONNECTION_EVENT) {
      throw lost("before it was started");
    }
    channel.send(Message.Handshake.GIVE_UP, List.of());
    throw new RexecException(
        ExitCode.OWN_FAILURE,
        program + ": called off, the other side of the handshake pipes is gone");
  }

  private void shakeHands(MessageChannel channel, Message.Handshake answer)
      throws IOException, RexecException {
    channel.send(answer, List.of());
    if (!answer.go()) {
      throw new RexecException(
          ExitCode.OWN_FAILURE, program + ": called off by the answer at " + HandshakePipes.READ);
    }
  }

  private Message.Kill awaitEnd(MessageChannel channel, Message.PidMap pidMap, Outputs outputs)
      throws RexecException {
    if (!pidMap.can(Message.PidMap.TELLS_EVERY_END)) {
      awaitWordOfCServer(channel, outputs);
    }
    try (MessageChannel.Received received = channel.receive(Deadline.NEVER)) {
      if (received != null && received.message() instanceof Message.Kill kill) {
        log("exit code " + kill.exitStatus());
        return kill;
      }
    } catch (IOException e) {
      log(e.getMessage());
    }
    outputs.drain(Manner.Wait.GRACE.silenceMillis());
    throw lost("before its end was told");
  }

  private void awaitWordOfCServer(MessageChannel channel, Outputs outputs) throws RexecException {
    long endedAt = 0;
    while (caller.waiting().readable(TICK, channel.socket())[0] == 0) {
      if (!outputs.areDone()) {
        endedAt = 0;
      } else if (endedAt == 0) {
        endedAt = System.nanoTime();
      } else if (System.nanoTime() - endedAt > TimeUnit.SECONDS.toNanos(C_SILENCE_SECONDS)) {
        throw new RexecException(
            ExitCode.OWN_FAILURE,
            program + ": its output has ended, but the server does not tell how it ended");
      }
    }
  }

  private RexecException lost(String when) {
    return new RexecException(
        ExitCode.OWN_FAILURE, program + ": the link to the program was lost " + when);
  }

  private void log(@Nullable String what) {
    if (settings.log) {
      Log.info(program + ": " + what);
    }
  }
}
