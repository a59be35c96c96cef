package qtfs.rexec;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import qtfs.linux.ByteStrings;
import qtfs.linux.ProcessAttributes;
import qtfs.linux.Signals;

/**
 * {@code rexec PROGRAM [ARGUMENT...]}: runs a program on the other host with this process's
 * standard streams and inherited files, and exits with its code. Started by another name, through a
 * link, it runs the program of that name.
 *
 * <p>Ends by _exit(2), since a thread may be blocked in a read of standard input for ever, which
 * the JVM would wait for.
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
    ProcessAttributes.exitNow(exitCode);
  }

  private static int exitCode(String[] args) {
    try {
      return run(args);
    } catch (RexecException e) {
      String line = String.valueOf(e.getMessage());
      if (!line.isEmpty()) {
        OwnProcess.say(line);
      }
      return e.exitCode();
    } catch (IOException e) {
      OwnProcess.say(String.valueOf(e.getMessage()));
      return ExitCode.OWN_FAILURE;
    } catch (RuntimeException | Error e) {
      // Not the JVM's own 1, which could be taken for the program's.
      OwnProcess.say(e.toString());
      return ExitCode.OWN_FAILURE;
    }
  }

  private static int run(String[] args) throws IOException, RexecException {
    String log = System.getenv("REXEC_LOG_FILE");
    if (log != null && !log.equals("std")) {
      System.out.println("REXEC_LOG_FILE cannot be set to any value other than std");
      System.out.flush();
      return ExitCode.CONFIGURATION;
    }
    List<String> arguments = ByteStrings.ofMain(args);
    String argv0 = System.getProperty("qtfs.argv0");
    OwnProcess process = OwnProcess.of(Descriptors.ofThisProcess());
    if (Explain.isAskedFor(argv0, arguments)) {
      return Explain.run(arguments.subList(1, arguments.size()), process);
    }
    Invocation invocation = Invocation.of(argv0, arguments, process);
    return invocation.help() == null
        ? run(invocation, process, log != null)
        : RexecOptions.answer(invocation.help());
  }

  private static int run(Invocation invocation, OwnProcess process, boolean log)
      throws IOException, RexecException {
    process.signals().start();
    Client.Settings settings =
        Client.Settings.of(System.getenv(), process, invocation.manner(), true, log);
    ProcessAttributes.name(Invocation.NAME);
    int ignored = ProcessAttributes.umask(0077);
    Client.Ending ending = new Client(settings, invocation.arguments()).run();
    if (invocation.manner().sameSignal() && ending.signal() != 0) {
      Signals.die(ending.signal());
    }
    return ending.code();
  }

  /** The run directory that an environment asks for. */
  static String runDir(@Nullable String wanted) {
    return wanted == null || wanted.isEmpty() ? DEFAULT_RUN_DIR : wanted;
  }
}
