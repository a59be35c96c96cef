package qtfs.rexec;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import qtfs.linux.Fd;
import qtfs.linux.Pipe;
import qtfs.linux.Poll;
import qtfs.linux.Signals;

/**
 * A real call of a real program, which does what it is told through a pipe of its own, and beside
 * it the model of what its caller is to see: every byte in its order, one end, and its code. For
 * one thread; {@link ModelledServer} is the other host.
 */
final class ModelledCall {
  /** What the client's pipe takes without anybody who reads. */
  private static final int MOST_UNREAD = 60_000;

  private static final int LOST = 125;

  /**
   * Takes commands at the first pipe and answers at the second, both given by name, beside the file
   * that all bytes are of.
   */
  private static final String PROGRAM =
      """
      exec 3<"$1" 4>"$2"; trapped=0
      for s in HUP INT QUIT USR1 USR2 WINCH; do trap 'trapped=$((trapped+1))' $s; done
      while read -r -u 3 what n from; do
        case $what in
          take) head -c "$n" >&4 ;;
          output) tail -c "+$((from+1))" "$3" 2>/dev/null | head -c "$n" ;;
          complain) tail -c "+$((from+1))" "$3" 2>/dev/null | head -c "$n" >&2 ;;
          trapped) until ((trapped >= n)); do sleep 0.002; done 2>/dev/null ;;
          die) kill "-$n" $$ ;;
          exit) exit "$n" ;;
        esac
        echo . >&4
      done
      """;

  private final ModelledServer server;
  private final ModelledServer.Link link;
  private final Pipe stdin = Pipe.open();
  private final Pipe commands = Pipe.open();
  private final Pipe answers = Pipe.open();
  private final ClientSignals signals = new ClientSignals(new NoDeeds());
  private final CompletableFuture<byte[]> stdout;
  private final CompletableFuture<byte[]> stderr;
  private final CompletableFuture<Outcome> outcome;
  private int sent;
  private int taken;
  private boolean inputEnded;
  private int written;
  private int complained;
  private int trapped;

  /** What the caller is told at the end. */
  private record Outcome(int code, String complaint) {}

  /** The client is a thread here: nothing may end it but the program. */
  private static final class NoDeeds implements ClientSignals.Deeds {
    @Override
    public void exit(int code) {}

    @Override
    public void stop() {}
  }

  private ModelledCall(ModelledServer server) throws IOException {
    this.server = server;
    this.link = server.link();
    Pipe out = Pipe.open();
    Pipe err = Pipe.open();
    this.stdout = Harness.background(() -> readAndClose(out.read()));
    this.stderr = Harness.background(() -> readAndClose(err.read()));
    OwnProcess caller =
        new OwnProcess(
            ModelledServer.CLIENT, stdin.read(), out.write(), err.write(), List.of(), signals);
    this.outcome =
        Harness.background(
            () -> {
              try (Fd _ = out.write();
                  Fd _ = err.write()) {
                return call(caller);
              }
            });
  }

  private Outcome call(OwnProcess caller) {
    List<String> arguments =
        List.of(
            "/bin/bash",
            "-c",
            PROGRAM,
            "bash",
            path(commands.read()),
            path(answers.write()),
            server.pattern().toString());
    try {
      return new Outcome(new Client(server.settings(caller), arguments).run().code(), "");
    } catch (RexecException e) {
      return new Outcome(e.exitCode(), String.valueOf(e.getMessage()));
    }
  }

  private static String path(Fd fd) {
    return "/proc/" + ProcessHandle.current().pid() + "/fd/" + fd.number();
  }

  private static byte[] readAndClose(Fd fd) {
    try (fd) {
      return Harness.readAll(fd);
    }
  }

  /** Goes through the steps up to the first end, or to an exit of its own. */
  static void run(ModelledServer server, List<ModelStep> steps) throws Exception {
    ModelledCall call = new ModelledCall(server);
    try {
      // Once the program has read a byte all is as it stays: signals go to it, for example.
      call.step(new ModelStep.Input(1));
      call.step(new ModelStep.Take(1));
      for (ModelStep step : steps) {
        if (step instanceof ModelStep.End end) {
          call.end(end);
          return;
        }
        call.step(step);
      }
      call.end(new ModelStep.Exit(0));
    } finally {
      call.close();
    }
  }

  private void step(ModelStep step) throws Exception {
    switch (step) {
      case ModelStep.Input(int bytes) -> input(bytes);
      case ModelStep.EndInput() -> {
        stdin.write().close();
        inputEnded = true;
      }
      case ModelStep.Take(int bytes) -> take(bytes);
      case ModelStep.Output(int bytes) -> {
        int length = Math.min(bytes, server.length() - written);
        tell("output " + length + " " + written);
        written += length;
        expect(new byte[0]);
      }
      case ModelStep.Complaint(int bytes) -> {
        int length = Math.min(bytes, server.length() - complained);
        tell("complain " + length + " " + complained);
        complained += length;
        expect(new byte[0]);
      }
      case ModelStep.Trapped(Signals.Name signal) -> {
        signals.take(signal);
        tell("trapped " + ++trapped);
        expect(new byte[0]);
      }
      case ModelStep.End _ -> throw new IllegalStateException("an end");
    }
  }

  private void input(int bytes) {
    int length = Math.min(bytes, MOST_UNREAD - (sent - taken));
    if (!inputEnded) {
      write(stdin.write(), server.bytes(sent, length));
      sent += length;
    }
  }

  private void take(int bytes) throws Exception {
    int length = Math.min(bytes, sent - taken);
    tell("take " + (inputEnded ? bytes : length));
    expect(server.bytes(taken, length));
    taken += length;
  }

  private void tell(String command) {
    write(commands.write(), (command + "\n").getBytes(UTF_8));
  }

  private static void write(Fd fd, byte[] bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment segment = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
      for (long at = 0; at < bytes.length; ) {
        long n = fd.write(segment.address() + at, bytes.length - at);
        require(n > 0, "nobody takes it: " + n);
        at += n;
      }
    }
  }

  /** Waits for the answer to a command: the bytes, and then that it is done. */
  private void expect(byte[] bytes) throws Exception {
    byte[] answer = new byte[bytes.length + 2];
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment segment = arena.allocate(answer.length);
      for (long at = 0; at < answer.length; ) {
        boolean any = Poll.readable(Harness.LIMIT, answers.read())[0] != 0;
        require(any, "the program does not answer; the call: " + outcome);
        long n = answers.read().read(segment.address() + at, answer.length - at);
        require(n > 0, "read " + n);
        at += n;
      }
      MemorySegment.copy(segment, ValueLayout.JAVA_BYTE, 0, answer, 0, answer.length);
    }
    require(
        Arrays.equals(Arrays.copyOf(answer, bytes.length), bytes)
            && answer[bytes.length] == '.'
            && answer[bytes.length + 1] == '\n',
        "the program has read something else");
  }

  private void end(ModelStep.End end) throws Exception {
    int code =
        switch (end) {
          case ModelStep.Exit(int status) -> {
            tell("exit " + status);
            yield status;
          }
          case ModelStep.Killed(int signal) -> {
            tell("die " + signal);
            yield 128 + signal;
          }
          case ModelStep.Ended() -> {
            signals.take(Signals.Name.TERM);
            yield 128 + Signals.Name.TERM.number();
          }
          case ModelStep.Cut() -> {
            link.cut();
            yield LOST;
          }
          case ModelStep.GarbageToClient() -> {
            link.slipToClient();
            yield LOST;
          }
          case ModelStep.GarbageToServer() -> {
            link.slipToServer();
            yield LOST;
          }
        };
    Outcome told = Harness.get(outcome);
    boolean lost = told.complaint().contains("the link to the program was lost");
    require(told.code() == code, told + " instead of " + code);
    require(lost == (code == LOST && !(end instanceof ModelStep.Exit)), "complains: " + told);
    requireAll("standard output", Harness.get(stdout), written);
    requireAll("standard error", Harness.get(stderr), complained);
  }

  private void requireAll(String stream, byte[] bytes, int length) {
    require(
        Arrays.equals(bytes, server.bytes(0, length)),
        stream + " has other bytes, " + bytes.length + " of " + length);
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new AssertionError(otherwise);
    }
  }

  private void close() throws Exception {
    link.cut();
    commands.close();
    answers.close();
    stdin.write().close();
    Harness.get(outcome);
    Harness.get(stdout);
    Harness.get(stderr);
    stdin.close();
    link.close();
  }
}
