package qtfs.rexec;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import qtfs.linux.Fd;
import qtfs.linux.Log;
import qtfs.linux.Pipe;
import qtfs.linux.Poll;
import qtfs.linux.ProcessAttributes;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;

/**
 * {@code ctl.sock}, mode 0600, for its owner and root whatever becomes of the mode: a line is
 * asked, a text answered, and that is all of a connection. Its one thread serves one after the
 * other, and waits for none longer than {@value #LIMIT_SECONDS} seconds.
 */
final class ControlSocket implements Closeable {
  static final String NAME = "ctl.sock";
  private static final int BACKLOG = 16;
  private static final int LIMIT_SECONDS = 5;
  private static final int MOST_BYTES = 256;

  private final UnixListener listener;
  private final Control control;
  private final Pipe stop = Pipe.open();
  private final Thread thread = new Thread(this::serveAll, "control");

  private ControlSocket(UnixListener listener, Control control) throws IOException {
    this.listener = listener;
    this.control = control;
  }

  static ControlSocket start(Path runDir, Control control) throws IOException {
    ControlSocket socket =
        new ControlSocket(UnixListener.bind(runDir.resolve(NAME), BACKLOG), control);
    socket.thread.setDaemon(true);
    socket.thread.start();
    return socket;
  }

  boolean isAccepting() {
    return thread.isAlive();
  }

  private void serveAll() {
    while (Poll.readable(Deadline.FOREVER, listener.number(), stop.read().number())[1] == 0) {
      int result = listener.accept(false);
      if (result >= 0) {
        serve(Fd.own(result));
      } else {
        // Nobody, or no descriptor left: not again at once.
        Poll.readable(Duration.ofMillis(100), stop.read());
      }
    }
  }

  private void serve(Fd connection) {
    try (connection) {
      if (!isMine(UnixSocket.peerCredentials(connection).uid())) {
        return; // somebody has changed the modes
      }
      Exchange exchange =
          new Exchange(connection, Deadline.after(Duration.ofSeconds(LIMIT_SECONDS)));
      exchange.write(control.answer(exchange.read("\n", MOST_BYTES)).getBytes(UTF_8));
    } catch (IOException | RuntimeException e) {
      Log.warn(NAME + ": " + e.getMessage());
    }
  }

  private static boolean isMine(int uid) {
    return uid == 0 || uid == ProcessAttributes.uid();
  }

  /** Answers nobody any more. */
  @Override
  public void close() {
    stop.write().close();
    listener.close();
  }
}
