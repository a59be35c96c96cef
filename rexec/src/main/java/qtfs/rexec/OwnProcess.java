package qtfs.rexec;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import qtfs.linux.ByteStrings;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.Log;
import qtfs.linux.ProcessAttributes;

/**
 * This process as the caller. Threads copy its streams, so that each may block.
 *
 * @param stdin null if closed, as the other streams
 */
record OwnProcess(
    int pid,
    @Nullable Fd stdin,
    @Nullable Fd stdout,
    @Nullable Fd stderr,
    List<InheritedFile> files,
    ClientSignals signals)
    implements Caller {

  static OwnProcess of(Descriptors descriptors) throws IOException {
    return new OwnProcess(
        ProcessAttributes.pid(),
        descriptors.standard(0),
        descriptors.standard(1),
        descriptors.standard(2),
        descriptors.files(),
        new ClientSignals());
  }

  @Override
  public @Nullable Fd stream(int number) {
    return number == 0 ? stdin : number == 1 ? stdout : stderr;
  }

  @Override
  public @Nullable Fd inherited(int number) {
    return descriptor(number);
  }

  /** A descriptor that this process was started with. */
  static @Nullable Fd descriptor(int number) {
    try {
      return Fcntl.isCloseOnExec(number) ? null : Fd.own(number);
    } catch (LinuxException e) {
      return null;
    }
  }

  @Override
  public List<String> variables() throws IOException {
    return ByteStrings.split("/proc/self/environ");
  }

  @Override
  public void complain(String line) {
    say(line);
  }

  /** Writes a line for the user. */
  static void say(String line) {
    System.err.println("rexec: " + Log.escape(line));
  }

  @Override
  public Waiting waiting() {
    return new Waiting.Plain();
  }

  @Override
  public Copy toProgram(String what, @Nullable Fd from, Fd pipe) {
    return Pump.toProgram(what, from, pipe);
  }

  @Override
  public Copy fromProgram(String what, Fd pipe, @Nullable Fd to) {
    return Pump.fromProgram(what, pipe, to);
  }
}
