package qtfs.rexec;

import java.io.Closeable;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.LinuxException;
import qtfs.linux.Pipe;

/**
 * The three standard streams of a call: the program's ends, and the threads that copy between the
 * others and this process's own.
 *
 * <p>A pipe as standard input is passed on itself, and nobody copies here. The other two are
 * copied, whatever they are: only so is all output with the caller before this process ends, see
 * docs/adr/0006.
 */
final class Streams implements Closeable {
  private final Fd programsStdin;
  private final Fd programsStdout;
  private final Fd programsStderr;
  private final @Nullable Pump stdin;
  private final Pump stdout;
  private final Pump stderr;

  /**
   * Makes the pipes; nothing is copied yet.
   *
   * @param stdin null if closed, as the others; all three stay the caller's
   */
  Streams(@Nullable Fd stdin, @Nullable Fd stdout, @Nullable Fd stderr) throws LinuxException {
    if (stdin != null && isReadEnd(stdin)) {
      this.programsStdin = stdin.duplicate();
      this.stdin = null;
    } else {
      Pipe in = Pipe.open();
      this.programsStdin = in.read();
      this.stdin = Pump.toProgram("standard input", stdin, in.write());
    }
    Pipe out = Pipe.open();
    this.programsStdout = out.write();
    this.stdout = Pump.fromProgram("standard output", out.read(), stdout);
    Pipe err = Pipe.open();
    this.programsStderr = err.write();
    this.stderr = Pump.fromProgram("standard error", err.read(), stderr);
  }

  /** Of a pipe that blocks: to another program, not blocking could be a surprise. */
  private static boolean isReadEnd(Fd fd) throws LinuxException {
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

  /** Tells the user of a stream that was not copied to its end. */
  void tellFailures() {
    tellFailure(stdin);
    tellFailure(stdout);
    tellFailure(stderr);
  }

  private static void tellFailure(@Nullable Pump pump) {
    String failure = pump == null ? null : pump.failure();
    if (failure != null) {
      Rexec.complain(failure);
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
