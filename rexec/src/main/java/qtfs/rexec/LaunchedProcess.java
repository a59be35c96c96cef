package qtfs.rexec;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import qtfs.linux.ByteStrings;
import qtfs.linux.Errno;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.LinuxException;
import qtfs.linux.Log;
import qtfs.linux.Signals;

/**
 * A launcher as the caller, in the agent. Its streams are copied, and its signals taken, whenever
 * the call waits. One thread; owns what it opens, but neither the request nor the channel.
 */
final class LaunchedProcess implements Caller, Closeable, ClientSignals.Deeds, CallLoop.Listener {
  private final int pid;
  private final AgentRequest request;
  private final AgentChannel channel;
  private final List<InheritedFile> files;
  private final CallLoop loop = new CallLoop(this);
  private final ClientSignals signals = new ClientSignals(this);
  private final List<CallerStream> streams = new ArrayList<>();
  private final @Nullable CallerStream stdin;
  private final @Nullable CallerStream stdout;
  private final @Nullable CallerStream stderr;

  /**
   * A launcher that waits for its call.
   *
   * @throws IOException if a stream of it is of a kind that only its own process can use
   */
  LaunchedProcess(int pid, AgentRequest request, AgentChannel channel) throws IOException {
    this.pid = pid;
    this.request = request;
    this.channel = channel;
    try {
      this.files = files(request);
      Fd input = stream(0);
      boolean passedOn = input == null || Streams.isReadEnd(input);
      this.stdin = passedOn ? null : keep(CallerStream.toRead(requireOpen(input)));
      this.stdout = output(1);
      this.stderr = output(2);
    } catch (IOException e) {
      close();
      throw e;
    }
  }

  private static Fd requireOpen(@Nullable Fd fd) throws LinuxException {
    if (fd == null) {
      throw new LinuxException("stream", Errno.EBADF);
    }
    return fd;
  }

  private @Nullable CallerStream output(int number) throws IOException {
    Fd output = stream(number);
    return output == null ? null : keep(CallerStream.toWrite(output));
  }

  private CallerStream keep(CallerStream stream) {
    streams.add(stream);
    return stream;
  }

  private static List<InheritedFile> files(AgentRequest request) throws LinuxException {
    List<InheritedFile> files = new ArrayList<>();
    for (Map.Entry<Integer, Fd> entry : request.descriptors().entrySet()) {
      Fd fd = entry.getValue();
      if (entry.getKey() > 2 && FileStatus.of(fd).isRegular()) {
        String path = Fcntl.path(fd.number());
        files.add(new InheritedFile(entry.getKey(), path, Fcntl.statusFlags(fd), fd.position()));
      }
    }
    return files;
  }

  /** Its environment as texts. */
  Map<String, String> environment() {
    Map<String, String> environment = new LinkedHashMap<>();
    for (String variable : request.environment()) {
      int equals = variable.indexOf('=');
      if (equals > 0) {
        environment.putIfAbsent(
            ByteStrings.text(variable.substring(0, equals)),
            ByteStrings.text(variable.substring(equals + 1)));
      }
    }
    return environment;
  }

  @Override
  public int pid() {
    return pid;
  }

  @Override
  public @Nullable Fd stream(int number) {
    return request.descriptors().get(number);
  }

  @Override
  public List<InheritedFile> files() {
    return files;
  }

  @Override
  public @Nullable Fd inherited(int number) {
    return request.descriptors().get(number);
  }

  @Override
  public List<String> variables() {
    List<String> variables = new ArrayList<>(request.environment());
    // Only from a script that starts a JVM would they mean anything.
    variables.removeIf(variable -> variable.startsWith("QTFS_LC_"));
    return variables;
  }

  @Override
  public ClientSignals signals() {
    return signals;
  }

  @Override
  public void complain(String line) {
    channel.complain("rexec: " + Log.escape(line));
  }

  @Override
  public Waiting waiting() {
    return loop;
  }

  @Override
  public Copy toProgram(String what, @Nullable Fd from, Fd pipe) {
    return loop.add(new Relay(loop, what, stdin, notBlocking(pipe, Fd.O_WRONLY), true));
  }

  @Override
  public Copy fromProgram(String what, Fd pipe, @Nullable Fd to) {
    CallerStream stream = to == null ? null : to.equals(stream(2)) ? stderr : stdout;
    return loop.add(new Relay(loop, what, stream, notBlocking(pipe, Fd.O_RDONLY), false));
  }

  /** A pipe's end of our own, whose flags nobody shares. */
  private static Fd notBlocking(Fd pipe, int access) {
    try {
      Fcntl.statusFlags(pipe, access | Fd.O_NONBLOCK);
      return pipe;
    } catch (LinuxException impossible) {
      throw new AssertionError(impossible);
    }
  }

  @Override
  public void exit(int code) {
    throw new CallOver(code);
  }

  @Override
  public void stop() throws LinuxException {
    channel.stop();
  }

  @Override
  public Fd fd() {
    return channel.connection();
  }

  @Override
  public void listen() {
    try {
      byte[] numbers = channel.arrived();
      if (numbers.length == 0) {
        throw new CallOver(CallOver.GONE);
      }
      for (byte number : numbers) {
        take(number);
      }
    } catch (LinuxException e) {
      if (e.errno() != Errno.EAGAIN && e.errno() != Errno.EINTR) {
        throw new CallOver(CallOver.GONE);
      }
    }
  }

  private void take(int number) throws LinuxException {
    for (Signals.Name signal : Signals.Name.values()) {
      if (signal.number() == number) {
        signals.take(signal);
      }
    }
  }

  /** More than once does no harm. */
  @Override
  public void close() {
    loop.close();
    streams.forEach(CallerStream::close);
    streams.clear();
  }
}
