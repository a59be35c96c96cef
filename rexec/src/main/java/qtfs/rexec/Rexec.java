package qtfs.rexec;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import qtfs.linux.ByteStrings;
import qtfs.linux.Log;
import qtfs.linux.ProcessAttributes;
import qtfs.udsproxy.connector.RemoteConnector;

/**
 * {@code rexec PROGRAM [ARGUMENT...]}: runs a program on the other host with this process's
 * standard streams and inherited files, and exits with its code.
 *
 * <p>Ends by halt, since a thread may be blocked in a read of standard input for ever.
 */
public final class Rexec {
  private static final String DEFAULT_RUN_DIR = "/var/run/rexec";

  private Rexec() {}

  public static void main(String[] args) {
    int exitCode = exitCode(args);
    if (Boolean.getBoolean("qtfs.training")) {
      // The build makes the AOT cache, which a halted JVM does not write.
      System.exit(exitCode);
    }
    Runtime.getRuntime().halt(exitCode);
  }

  private static int exitCode(String[] args) {
    try {
      return run(args);
    } catch (RexecException e) {
      String line = String.valueOf(e.getMessage());
      if (!line.isEmpty()) {
        complain(line);
      }
      return e.exitCode();
    } catch (IOException | RuntimeException | Error e) {
      // Not the JVM's own 1, which could be taken for the program's.
      complain(e.toString());
      return ExitCode.OWN_FAILURE;
    }
  }

  /** Writes a line for the user. */
  static void complain(String line) {
    System.err.println("rexec: " + Log.escape(line));
  }

  private static int run(String[] args) throws IOException, RexecException {
    String log = System.getenv("REXEC_LOG_FILE");
    if (log != null && !log.equals("std")) {
      System.out.println("REXEC_LOG_FILE cannot be set to any value other than std");
      System.out.flush();
      return ExitCode.CONFIGURATION;
    }
    List<String> arguments = ByteStrings.ofMain(args);
    if (arguments.isEmpty()) {
      throw new RexecException(
          ExitCode.OWN_FAILURE, "no program given; usage: rexec PROGRAM [ARGUMENT...]");
    }
    if (arguments.get(0).equals(Explain.OPTION)) {
      return Explain.run(arguments.subList(1, arguments.size()));
    }
    if (arguments.get(0).startsWith("-")) {
      RexecOptions options = RexecOptions.parse(arguments);
      if (options.isAnswered()) {
        return options.exitCode();
      }
      arguments = options.arguments();
    }
    return run(arguments, log != null);
  }

  private static int run(List<String> arguments, boolean log) throws IOException, RexecException {
    HandshakePipes handshake =
        HandshakePipes.of(System.getenv(HandshakePipes.READ), System.getenv(HandshakePipes.WRITE));
    Descriptors descriptors = Descriptors.ofThisProcess();
    ProcessAttributes.name("rexec");
    int ignored = ProcessAttributes.umask(0077);
    return new Client(
            new Client.Settings(
                RemoteConnector.fromEnvironment(),
                runDir(System.getenv("REXEC_RUN_DIR")),
                ProcessAttributes.pid(),
                descriptors.standard(0),
                descriptors.standard(1),
                descriptors.standard(2),
                descriptors.files(),
                handshake,
                log),
            arguments)
        .run();
  }

  /** The run directory that an environment asks for. */
  static String runDir(@Nullable String wanted) {
    return wanted == null || wanted.isEmpty() ? DEFAULT_RUN_DIR : wanted;
  }
}
