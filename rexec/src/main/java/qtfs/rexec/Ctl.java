package qtfs.rexec;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import qtfs.linux.Fd;
import qtfs.linux.Poll;
import qtfs.linux.UnixSocket;

/**
 * {@code rexec_server ctl [--json] [--run-dir DIR] COMMAND}: asks a running server. Exits with 0,
 * with 1 for a no, with {@value ExitCode#CONFIGURATION} if there is no server or no such command.
 */
final class Ctl {
  static final String USAGE =
      "usage: rexec_server ctl [--json] [--run-dir DIR] ps | status | kill PID [SIGNAL]";

  private static final Duration PATIENCE = Duration.ofSeconds(15);

  private Ctl() {}

  /** What {@link #run} understands, for the manual page too. */
  static CommandSpec spec() {
    CommandSpec kill = command("kill", "Signals a program's process group.");
    kill.addPositional(operand(0, "PID", "the program's, as ps has it", "1"));
    kill.addPositional(operand(1, "[SIGNAL]", "a name or a number; TERM if not given", "0..1"));
    CommandSpec spec = command("ctl", "Asks the rexec_server that runs on this host.");
    return spec.addSubcommand("ps", command("ps", "Lists the programs that run."))
        .addSubcommand("status", command("status", "Tells how the server is."))
        .addSubcommand("kill", kill);
  }

  /** The options stand before or behind the command. */
  private static CommandSpec command(String name, String description) {
    CommandSpec spec = CommandSpec.create().name(name);
    spec.usageMessage().description(description);
    spec.addOption(OptionSpec.builder("--json").description("Prints one JSON object.").build());
    return spec.addOption(Commands.runDir());
  }

  private static PositionalParamSpec operand(
      int index, String label, String description, String arity) {
    return PositionalParamSpec.builder()
        .index(Integer.toString(index))
        .arity(arity)
        .required(arity.equals("1"))
        .paramLabel(label)
        .hideParamSyntax(true)
        .type(String.class)
        .description(description)
        .build();
  }

  static int run(List<String> arguments) throws IOException {
    ParseResult before;
    try {
      CommandLine line = new CommandLine(spec()).setExpandAtFiles(false);
      before = line.parseArgs(arguments.toArray(String[]::new));
    } catch (ParameterException e) {
      throw new IOException(e.getMessage() + "; " + USAGE, e);
    }
    if (!before.hasSubcommand()) {
      throw new IOException(USAGE);
    }
    ParseResult command = before.subcommand();
    boolean json = before.hasMatchedOption("--json") || command.hasMatchedOption("--json");
    Path runDir = Commands.runDir(command.hasMatchedOption("--run-dir") ? command : before);
    List<String> words = new ArrayList<>(List.of(command.commandSpec().name()));
    command.matchedPositionals().forEach(word -> words.add(word.<String>getValue()));
    String answer =
        ask(
            runDir.resolve(ControlSocket.NAME),
            (json ? "json " : "text ") + String.join(" ", words),
            PATIENCE);
    int end = answer.indexOf('\n');
    if (end < 0) {
      throw new IOException("the server has closed the connection without an answer");
    }
    boolean yes = answer.startsWith("0");
    (yes ? System.out : System.err).print(answer.substring(end + 1));
    return yes ? 0 : 1;
  }

  /**
   * The server's whole answer.
   *
   * @param patience with a server that says nothing
   */
  static String ask(Path socket, String line, Duration patience) throws IOException {
    ByteArrayOutputStream answer = new ByteArrayOutputStream();
    try (Fd connection = UnixSocket.connect(socket.toString());
        Arena arena = Arena.ofConfined()) {
      byte[] bytes = (line + "\n").getBytes(UTF_8);
      long ignored =
          connection.write(arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes), bytes.length);
      MemorySegment buffer = arena.allocate(4096);
      for (long n; (n = read(connection, buffer, patience)) > 0; ) {
        answer.writeBytes(buffer.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE));
      }
    }
    return answer.toString(UTF_8);
  }

  private static long read(Fd connection, MemorySegment buffer, Duration patience)
      throws IOException {
    if (Poll.readable(patience, connection)[0] == 0) {
      throw new IOException("rexec_server does not answer: is it stopped, or overloaded?");
    }
    return connection.read(buffer, buffer.byteSize());
  }
}
