package qtfs.rexec;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import qtfs.linux.ByteStrings;
import qtfs.linux.Log;
import qtfs.linux.ProcessAttributes;
import qtfs.linux.Signals;
import qtfs.udsproxy.connector.RemoteConnector;

/**
 * {@code rexec PROGRAM [ARGUMENT...]}: runs a program on the other host with this process's
 * standard streams and inherited files, and exits with its code. Started by another name, through a
 * link, it runs the program of that name.
 *
 * <p>Ends by _exit(2), since a thread may be blocked in a read of standard input for ever, which
 * the JVM would wait for.
 */
public final class Rexec {
  private static final String NAME = "rexec";
  private static final String DEFAULT_RUN_DIR = "/var/run/rexec";

  private Rexec() {}

  public static void main(String[] args) {
    int exitCode = exitCode(args);
    if (Boolean.getBoolean("qtfs.training")) {
      // The build makes the AOT cache, which a halted JVM does not write.
      System.exit(exitCode);
    }
    ProcessAttributes.exitNow(exitCode);
  }

  /** All that the program understands, for manual pages and completions. */
  public static CommandSpec commandSpec() {
    return RexecOptions.spec();
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
    String name = calledAs(System.getProperty("qtfs.argv0"));
    if (!name.equals(NAME)) {
      return run(withFirst(ByteStrings.of(name), arguments), Manner.USUAL, log != null);
    }
    if (arguments.isEmpty()) {
      throw new RexecException(
          ExitCode.OWN_FAILURE, "no program given; usage: rexec PROGRAM [ARGUMENT...]");
    }
    if (arguments.get(0).equals(Explain.OPTION)) {
      return Explain.run(arguments.subList(1, arguments.size()));
    }
    if (arguments.get(0).startsWith("-")) {
      RexecOptions options = RexecOptions.parse(arguments);
      return options.isAnswered()
          ? options.exitCode()
          : run(options.arguments(), options.manner(), log != null);
    }
    return run(arguments, Manner.USUAL, log != null);
  }

  /** The name of the link, or of the program itself, that was started. */
  private static String calledAs(@Nullable String path) {
    return path == null ? NAME : path.substring(path.lastIndexOf('/') + 1);
  }

  private static List<String> withFirst(String first, List<String> rest) {
    List<String> all = new ArrayList<>();
    all.add(first);
    all.addAll(rest);
    return all;
  }

  private static int run(List<String> arguments, Manner manner, boolean log)
      throws IOException, RexecException {
    ClientSignals signals = new ClientSignals();
    signals.start();
    HandshakePipes handshake =
        HandshakePipes.of(System.getenv(HandshakePipes.READ), System.getenv(HandshakePipes.WRITE));
    Descriptors descriptors = Descriptors.ofThisProcess();
    ProcessAttributes.name(NAME);
    int ignored = ProcessAttributes.umask(0077);
    Client.Ending ending =
        new Client(
                new Client.Settings(
                    RemoteConnector.fromEnvironment(),
                    runDir(System.getenv("REXEC_RUN_DIR")),
                    ProcessAttributes.pid(),
                    descriptors.standard(0),
                    descriptors.standard(1),
                    descriptors.standard(2),
                    descriptors.files(),
                    handshake,
                    manner,
                    signals,
                    log),
                arguments)
            .run();
    if (manner.sameSignal() && ending.signal() != 0) {
      Signals.die(ending.signal());
    }
    return ending.code();
  }

  /** The run directory that an environment asks for. */
  static String runDir(@Nullable String wanted) {
    return wanted == null || wanted.isEmpty() ? DEFAULT_RUN_DIR : wanted;
  }
}
