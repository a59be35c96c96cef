package qtfs.rexec;

import java.io.File;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import qtfs.linux.ByteStrings;
import qtfs.linux.Fd;
import qtfs.linux.Log;
import qtfs.linux.Pipe;
import qtfs.udsproxy.connector.RemoteConnector;

/**
 * One call of a program on the other host, from connect to exit code.
 *
 * <p>Three threads copy the standard streams, so that each may block; the calling thread talks to
 * the server. Once the program has ended its output is copied to the end, but whoever inherited it
 * (a daemon that the program left behind) cannot hold the call up: {@value #GRACE_SECONDS} silent
 * seconds end it.
 */
final class Client {
  private static final int GRACE_SECONDS = 5;

  /** Counted in turns of the clock, so that the silence of a machine that stands still is none. */
  private static final int TURN_MILLIS = 100;

  /** How long a C server may be silent after all output has ended: it forgets to tell some ends. */
  private static final int C_SILENCE_SECONDS = 5;

  private static final Duration ANSWER_LIMIT = Duration.ofSeconds(60);
  private static final Duration TICK = Duration.ofSeconds(1);

  private final Settings settings;
  private final String program;
  private final List<String> arguments;

  /**
   * What a call finds around it.
   *
   * @param runDir rexec's, with the server's socket
   * @param pid of this process, the name of its pid file
   * @param stdin null if closed; the three streams stay the caller's
   * @param files to be opened for the program
   * @param handshake null to start the program at once
   * @param log whether to tell what happens
   */
  record Settings(
      RemoteConnector connector,
      String runDir,
      int pid,
      @Nullable Fd stdin,
      @Nullable Fd stdout,
      @Nullable Fd stderr,
      List<InheritedFile> files,
      @Nullable HandshakePipes handshake,
      boolean log) {}

  /**
   * A call that has not begun.
   *
   * @param arguments from {@code argv[0]} on, byte strings
   */
  Client(Settings settings, List<String> arguments) {
    this.settings = settings;
    this.program = ByteStrings.text(arguments.get(0));
    this.arguments = arguments;
  }

  /**
   * Runs the program.
   *
   * @return its exit code, or 128 + signal
   * @throws RexecException if it did not run, or its end stayed unknown
   */
  int run() throws RexecException {
    File pids = PidFile.makeDirectory(settings.runDir);
    try (Fd connection = connect();
        MessageChannel channel = new MessageChannel(connection)) {
      return run(channel, pids);
    } catch (IOException e) {
      throw new RexecException(ExitCode.OWN_FAILURE, program + ": " + e.getMessage());
    }
  }

  private Fd connect() throws RexecException {
    try {
      return settings.connector.connect(settings.runDir + "/rexec_uds.sock");
    } catch (IOException e) {
      throw new RexecException(ExitCode.OWN_FAILURE, String.valueOf(e.getMessage()));
    }
  }

  private int run(MessageChannel channel, File pids) throws IOException, RexecException {
    Pipe in = Pipe.open();
    Pipe out = Pipe.open();
    Pipe err = Pipe.open();
    Pump stdin = Pump.toProgram("standard input", settings.stdin, in.write());
    Pump stdout = Pump.fromProgram("standard output", out.read(), settings.stdout);
    Pump stderr = Pump.fromProgram("standard error", err.read(), settings.stderr);
    Outputs outputs = new Outputs(stdout, stderr);
    request(channel, in.read(), out.write(), err.write());
    outputs.start();
    PidFile.sweep(pids);
    Message.PidMap pidMap = awaitPidMap(channel, outputs);
    try (PidFile pidFile = writePidFile(pids, pidMap.pid())) {
      removeAtExit(pidFile);
      shakeHands(channel);
      stdin.start();
      int exitStatus = awaitEnd(channel, pidMap, outputs);
      if (!outputs.drain()) {
        Rexec.complain(
            program
                + ": has ended, but something it has started on the other host keeps its output open;"
                + " not waiting for that");
      }
      tellFailures(stdin, stdout, stderr);
      return exitStatus;
    }
  }

  /** Sends what to run, and lets go of the program's ends of the pipes. */
  private void request(MessageChannel channel, Fd stdin, Fd stdout, Fd stderr) throws IOException {
    try (stdin;
        stdout;
        stderr) {
      channel.send(
          new Message.Exec(arguments, FilesJson.write(settings.files, Wishes.USUAL)),
          List.of(stdin));
      channel.send(new Message.PipeMessage(1), List.of(stdout));
      channel.send(new Message.PipeMessage(2), List.of(stderr));
    }
    log("request sent");
  }

  private Message.PidMap awaitPidMap(MessageChannel channel, Outputs outputs)
      throws IOException, RexecException {
    MessageChannel.Received received = channel.receive(Deadline.after(ANSWER_LIMIT));
    if (received == null) {
      outputs.drain();
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
      if (received.message() instanceof Message.PidMap pidMap) {
        log("remote pid " + pidMap.pid());
        return pidMap;
      }
      throw new ProtocolException("the server sent another message than the program's pid");
    }
  }

  private PidFile writePidFile(File pids, int remotePid) throws RexecException {
    try {
      return PidFile.write(pids, settings.pid, remotePid);
    } catch (IOException e) {
      throw new RexecException(
          ExitCode.OWN_FAILURE, "cannot write the pid file: " + e.getMessage());
    }
  }

  /** For a signal that ends this process; the JVM's exit code is 128 + signal then. */
  private static void removeAtExit(PidFile pidFile) {
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread("remove pid file") {
              @Override
              public void run() {
                pidFile.close();
              }
            });
  }

  private void shakeHands(MessageChannel channel) throws IOException, RexecException {
    Message.Handshake answer = Message.Handshake.GO;
    if (settings.handshake != null) {
      answer = askManager(settings.handshake, channel);
    }
    channel.send(answer, List.of());
    if (!answer.go()) {
      throw new RexecException(
          ExitCode.OWN_FAILURE, program + ": called off by the answer at " + HandshakePipes.READ);
    }
  }

  private Message.Handshake askManager(HandshakePipes pipes, MessageChannel channel)
      throws IOException, RexecException {
    HandshakePipes.Outcome outcome = pipes.exchange(channel.socket());
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

  private int awaitEnd(MessageChannel channel, Message.PidMap pidMap, Outputs outputs)
      throws RexecException {
    if ((pidMap.capabilities() & Message.PidMap.TELLS_EVERY_END) == 0) {
      awaitWordOfCServer(channel, outputs);
    }
    try (MessageChannel.Received received = channel.receive(Deadline.NEVER)) {
      if (received != null && received.message() instanceof Message.Kill kill) {
        log("exit code " + kill.exitStatus());
        return kill.exitStatus();
      }
    } catch (IOException e) {
      log(e.getMessage());
    }
    outputs.drain();
    throw lost("before its end was told");
  }

  private void awaitWordOfCServer(MessageChannel channel, Outputs outputs) throws RexecException {
    long endedAt = 0;
    while (qtfs.linux.Poll.readable(TICK, channel.socket())[0] == 0) {
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

  /** The two streams that come back. */
  private static final class Outputs {
    private final Pump stdout;
    private final Pump stderr;

    Outputs(Pump stdout, Pump stderr) {
      this.stdout = stdout;
      this.stderr = stderr;
    }

    void start() {
      stdout.start();
      stderr.start();
    }

    boolean areDone() {
      return stdout.isDone() && stderr.isDone();
    }

    boolean anyError() {
      return stderr.anything();
    }

    /** Waits until both have ended, or have been silent for the grace time; tells which. */
    boolean drain() {
      int silentTurns = 0;
      long moved = moved();
      while (!areDone()) {
        if (silentTurns == GRACE_SECONDS * 1000 / TURN_MILLIS) {
          return false;
        }
        try {
          Pump waitFor = stdout.isDone() ? stderr : stdout;
          waitFor.done().await(TURN_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          return false;
        }
        long movedNow = moved();
        boolean silent = movedNow == moved && !stdout.isWriting() && !stderr.isWriting();
        silentTurns = silent ? silentTurns + 1 : 0;
        moved = movedNow;
      }
      return true;
    }

    private long moved() {
      return stdout.moved() + stderr.moved();
    }
  }

  private static void tellFailures(Pump... pumps) {
    for (Pump pump : pumps) {
      String failure = pump.failure();
      if (failure != null) {
        Rexec.complain(failure);
      }
    }
  }

  private void log(@Nullable String what) {
    if (settings.log) {
      Log.info(program + ": " + what);
    }
  }
}
