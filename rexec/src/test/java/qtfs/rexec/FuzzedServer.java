package qtfs.rexec;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Fd;
import qtfs.linux.MessageIo;
import qtfs.linux.Poll;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;

/**
 * A server that is a fuzzer's input, and the client's caller, both on the client's own thread:
 * whenever the client waits, the server does what it has to do, so that no input waits for another
 * thread. It sends all it has, ends its stream, and lets go of whatever arrives.
 */
final class FuzzedServer implements Caller, Waiting, Closeable {
  private static final int SPACE = 1 << 13;

  private final OwnProcess process;
  private final UnixListener listener;
  private final FuzzedPieces pieces;
  private final Fd passed;
  private final Arena arena = Arena.ofConfined();
  private final MemorySegment space = arena.allocate(SPACE);
  private final MessageIo io = MessageIo.ofThisThreadNeverWaiting();
  private @Nullable Fd connection;

  /**
   * For one call.
   *
   * @param passed goes along with the pieces
   */
  FuzzedServer(OwnProcess process, UnixListener listener, FuzzedPieces pieces, Fd passed) {
    this.process = process;
    this.listener = listener;
    this.pieces = pieces;
    this.passed = passed;
  }

  private void turn() {
    if (connection == null) {
      int accepted = listener.accept(true);
      if (accepted < 0) {
        return;
      }
      connection = Fd.own(accepted);
      pieces.send(connection, passed);
      UnixSocket.shutdownWrite(connection);
    }
    long received;
    do {
      io.piece(0, space.address(), SPACE);
      received = io.receive(connection, 1);
      Fd.closeAll(io.takeFds());
    } while (received > 0);
  }

  @Override
  public int[] readable(Duration timeout, Fd... fds) {
    turn();
    return Poll.readable(timeout, fds);
  }

  /** Of what comes from the program, which is nothing but the end. */
  private final class Output implements Copy {
    private final Fd pipe;

    Output(Fd pipe) {
      this.pipe = pipe;
    }

    @Override
    public void start() {}

    @Override
    public void abandon() {
      pipe.close();
    }

    @Override
    public void awaitEnd(int millis) {
      if (readable(Duration.ofMillis(millis), pipe)[0] != 0 && pipe.read(space, SPACE) <= 0) {
        pipe.close();
      }
    }

    @Override
    public boolean isDone() {
      if (pipe.isOpen()) {
        awaitEnd(0);
      }
      return !pipe.isOpen();
    }

    @Override
    public boolean anything() {
      return false;
    }

    @Override
    public long moved() {
      return 0;
    }

    @Override
    public boolean isWriting() {
      return false;
    }

    @Override
    public @Nullable String failure() {
      return null;
    }
  }

  @Override
  public Waiting waiting() {
    return this;
  }

  @Override
  public Copy toProgram(String what, @Nullable Fd from, Fd pipe) {
    return new Output(pipe);
  }

  @Override
  public Copy fromProgram(String what, Fd pipe, @Nullable Fd to) {
    return new Output(pipe);
  }

  @Override
  public int pid() {
    return process.pid();
  }

  @Override
  public @Nullable Fd stream(int number) {
    return process.stream(number);
  }

  @Override
  public List<InheritedFile> files() {
    return process.files();
  }

  @Override
  public @Nullable Fd inherited(int number) {
    return process.inherited(number);
  }

  @Override
  public List<String> variables() throws IOException {
    return process.variables();
  }

  @Override
  public ClientSignals signals() {
    return process.signals();
  }

  @Override
  public void complain(String line) {
    process.complain(line);
  }

  @Override
  public void close() {
    turn();
    if (connection != null) {
      connection.close();
    }
    io.close();
    arena.close();
  }
}
