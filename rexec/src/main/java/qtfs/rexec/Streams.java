package qtfs.rexec;

import java.io.Closeable;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.LinuxException;
import qtfs.linux.Pipe;

/**
 * The three standard streams of a call: the program's ends, and the copies between the others and
 * the caller's own.
 *
 * <p>A pipe as standard input is passed on itself where the way allows it, and nobody copies here.
 * The other two are copied, whatever they are: only so is all output with the caller before this
 * process ends, see docs/adr/0006.
 */
final class Streams implements Closeable {
  private final Fd programsStdin;
  private final Fd programsStdout;
  private final Fd programsStderr;
  private final Caller caller;
  private final @Nullable Copy stdin;
  private final Copy stdout;
  private final Copy stderr;

  /**
   * Makes the pipes; nothing is copied yet.
   *
   * @param keepsPipes whether the connection carries any pipe
   */
  Streams(Caller caller, boolean keepsPipes) throws LinuxException {
    this.caller = caller;
    Fd input = caller.stream(0);
    if (keepsPipes && input != null && isReadEnd(input)) {
      this.programsStdin = input.duplicate();
      this.stdin = null;
    } else {
      Pipe in = Pipe.open();
      this.programsStdin = in.read();
      this.stdin = caller.toProgram("standard input", input, in.write());
    }
    try {
      Pipe out = Pipe.open();
      this.programsStdout = out.write();
      this.stdout = caller.fromProgram("standard output", out.read(), caller.stream(1));
    } catch (LinuxException e) {
      programsStdin.close();
      throw e;
    }
    try {
      Pipe err = Pipe.open();
      this.programsStderr = err.write();
      this.stderr = caller.fromProgram("standard error", err.read(), caller.stream(2));
    } catch (LinuxException e) {
      programsStdin.close();
      programsStdout.close();
      throw e;
    }
  }

  /** Of a pipe that blocks: to another program, not blocking could be a surprise. */
  static boolean isReadEnd(Fd fd) throws LinuxException {
    return FileStatus.of(fd).isFifo()
        && (Fcntl.statusFlags(fd) & (Fd.O_ACCMODE | Fd.O_NONBLOCK)) == Fd.O_RDONLY;
  }

  Fd programsStdin() {
    return programsStdin;
  }

  Fd programsStdout() {
    return programsStdout;
  }

  Fd programsStderr() {
    return programsStderr;
  }

  Outputs outputs() {
    return new Outputs(stdout, stderr);
  }

  void startInput() {
    if (stdin != null) {
      stdin.start();
    }
  }

  /** Lets go of what has not started, when the call is over. */
  void abandon() {
    if (stdin != null) {
      stdin.abandon();
    }
    stdout.abandon();
    stderr.abandon();
  }

  /**
   * Tells the user of a stream that was not copied to its end.
   *
   * @throws RexecException if that is an output: whoever relies on the program's code would take it
   *     for whole. Of its input a program may have had enough.
   */
  void tellFailures() throws RexecException {
    tellFailure(stdin);
    String output = stdout.failure();
    if (output != null) {
      tellFailure(stderr);
      throw new RexecException(ExitCode.OWN_FAILURE, output);
    }
    String errors = stderr.failure();
    if (errors != null) {
      throw new RexecException(ExitCode.OWN_FAILURE, errors);
    }
  }

  private void tellFailure(@Nullable Copy copy) {
    String failure = copy == null ? null : copy.failure();
    if (failure != null) {
      caller.complain(failure);
    }
  }

  /** Lets go of the program's ends. */
  @Override
  public void close() {
    programsStdin.close();
    programsStdout.close();
    programsStderr.close();
  }
}
