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
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
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

  /** What {@link #run} understands, for the manual page. */
  static CommandSpec spec() {
    CommandSpec kill = command("kill", "Signals a program's process group.");
    kill.addPositional(operand(0, "PID", "the program's, as ps has it", "1"));
    kill.addPositional(operand(1, "[SIGNAL]", "a name or a number; TERM if not given", "0..1"));
    CommandSpec spec = CommandSpec.create().name("ctl");
    spec.usageMessage().description("Asks the rexec_server that runs on this host.");
    return spec.addSubcommand("ps", command("ps", "Lists the programs that run."))
        .addSubcommand("status", command("status", "Tells how the server is."))
        .addSubcommand("kill", kill);
  }

  private static CommandSpec command(String name, String description) {
    CommandSpec spec = CommandSpec.create().name(name);
    spec.usageMessage().description(description);
    spec.addOption(OptionSpec.builder("--json").description("Prints one JSON object.").build());
    return spec.addOption(
        OptionSpec.builder("--run-dir")
            .paramLabel("DIR")
            .type(String.class)
            .description("The server's. Default: $REXEC_RUN_DIR, else /var/run/rexec")
            .build());
  }

  private static PositionalParamSpec operand(
      int index, String label, String description, String arity) {
    return PositionalParamSpec.builder()
        .index(Integer.toString(index))
        .arity(arity)
        .paramLabel(label)
        .hideParamSyntax(true)
        .type(String.class)
        .description(description)
        .build();
  }

  static int run(List<String> arguments) throws IOException {
    List<String> words = new ArrayList<>(arguments);
    boolean json = words.remove("--json");
    String runDir = Rexec.runDir(System.getenv("REXEC_RUN_DIR"));
    int at = words.indexOf("--run-dir");
    if (at >= 0 && at + 1 < words.size()) {
      runDir = words.remove(at + 1);
      words.remove(at);
    }
    if (words.isEmpty() || words.getFirst().startsWith("-")) {
      throw new IOException(USAGE);
    }
    String answer =
        ask(
            Path.of(runDir, ControlSocket.NAME),
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
