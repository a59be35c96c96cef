package qtfs.rexec;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.Pipe;
import qtfs.linux.Poll;
import qtfs.udsproxy.connector.RemoteConnector;

/**
 * {@code rexec --explain [OPTION...] PROGRAM [ARGUMENT...]}: asks the server which rule would
 * decide, and runs nothing. Exits with 0 where the program would be run, 126 where it would be
 * refused.
 */
final class Explain {
  static final String OPTION = "--explain";

  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final int MOST_BYTES = 1 << 20;

  private final RemoteConnector connector;
  private final String runDir;

  Explain(RemoteConnector connector, String runDir) {
    this.connector = connector;
    this.runDir = runDir;
  }

  /** An answer of the server. */
  record Answer(int exitCode, String text) {}

  /**
   * Asks.
   *
   * @param arguments from {@code argv[0]} on, byte strings
   * @throws RexecException if there is no answer
   */
  Answer ask(List<String> arguments, Wishes wishes) throws RexecException {
    PidFile.makeDirectory(runDir);
    try (Fd connection = connector.connect(runDir + "/rexec_uds.sock");
        MessageChannel channel = new MessageChannel(connection);
        Pipe in = Pipe.open();
        Pipe out = Pipe.open();
        Pipe err = Pipe.open()) {
      String files = ExplainWish.addTo(FilesJson.write(List.of(), wishes));
      channel.send(new Message.Exec(arguments, files), List.of(in.read()));
      channel.send(new Message.PipeMessage(1), List.of(out.write()));
      channel.send(new Message.PipeMessage(2), List.of(err.write()));
      Fd.closeAll(List.of(in.read(), in.write(), out.write(), err.write()));
      requireExplaining(channel, err.read());
      channel.send(Message.Handshake.GO, List.of());
      String text = read(out.read());
      return new Answer(exitCode(channel), text);
    } catch (IOException e) {
      throw new RexecException(ExitCode.OWN_FAILURE, String.valueOf(e.getMessage()));
    }
  }

  /** Gives up with a server that would run the program. */
  private static void requireExplaining(MessageChannel channel, Fd stderr)
      throws IOException, RexecException {
    try (MessageChannel.Received received = channel.receive(Deadline.after(LIMIT))) {
      if (received == null) {
        throw new RexecException(ExitCode.OWN_FAILURE, "no answer: " + read(stderr).strip());
      }
      boolean explains =
          received.message() instanceof Message.PidMap pidMap
              && pidMap.can(Message.PidMap.EXPLAINS);
      if (!explains) {
        channel.send(Message.Handshake.GIVE_UP, List.of());
        throw new RexecException(
            ExitCode.OWN_FAILURE,
            "the server on the other host cannot explain: it is a C one, or an older one");
      }
    }
  }

  private static int exitCode(MessageChannel channel) throws IOException, RexecException {
    try (MessageChannel.Received received = channel.receive(Deadline.after(LIMIT))) {
      if (received != null && received.message() instanceof Message.Kill kill) {
        return kill.exitStatus();
      }
      throw new RexecException(ExitCode.OWN_FAILURE, "the link was lost before the answer");
    }
  }

  private static String read(Fd pipe) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    Deadline deadline = Deadline.after(LIMIT);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(4096);
      while (bytes.size() < MOST_BYTES) {
        if (Poll.readable(deadline.left(), pipe)[0] == 0) {
          throw new LinuxException("read the answer", Errno.EAGAIN);
        }
        long n = pipe.read(buffer, 4096);
        if (n <= 0) {
          break;
        }
        bytes.writeBytes(buffer.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE));
      }
    }
    return bytes.toString(UTF_8);
  }

  /** Whether a command line asks for an explanation. */
  static boolean isAskedFor(@Nullable String argv0, List<String> arguments) {
    return Invocation.calledAs(argv0).equals(Invocation.NAME)
        && !arguments.isEmpty()
        && arguments.get(0).equals(OPTION);
  }

  /**
   * The command.
   *
   * @param arguments what follows {@value #OPTION}
   */
  static int run(List<String> arguments, Caller caller) throws IOException, RexecException {
    List<String> program = arguments;
    Wishes wishes = Wishes.USUAL;
    if (!program.isEmpty() && program.getFirst().startsWith("-")) {
      RexecOptions options = RexecOptions.parse(program, caller);
      if (options.help() != null) {
        return RexecOptions.answer(options.help());
      }
      program = options.arguments();
      wishes = options.manner().wishes();
    }
    if (program.isEmpty()) {
      throw new RexecException(
          ExitCode.OWN_FAILURE,
          "no program given; usage: rexec --explain [OPTION...] PROGRAM [ARGUMENT...]");
    }
    String runDir = Rexec.runDir(System.getenv("REXEC_RUN_DIR"));
    Answer answer = new Explain(RemoteConnector.fromEnvironment(), runDir).ask(program, wishes);
    byte[] text = answer.text().getBytes(UTF_8);
    System.out.write(text, 0, text.length);
    System.out.flush();
    return answer.exitCode();
  }
}
