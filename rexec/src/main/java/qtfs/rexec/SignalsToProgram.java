package qtfs.rexec;

import java.util.List;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.RawTerminal;
import qtfs.linux.Signals;
import qtfs.linux.Terminal;

/**
 * Passes the signals to this process on to the program's group. Where the server takes none, a C
 * server, they do to this process what signals do, and the server then ends the program.
 */
final class SignalsToProgram implements ClientSignals.Receiver {
  private final ClientSignals signals;
  private final Fd connection;
  private final Message.PidMap pidMap;
  private final @Nullable RawTerminal terminal;

  /**
   * For a program that may run.
   *
   * @param terminal the user's, if the program has one of its own for it
   */
  SignalsToProgram(
      ClientSignals signals, Fd connection, Message.PidMap pidMap, @Nullable RawTerminal terminal) {
    this.signals = signals;
    this.connection = connection;
    this.pidMap = pidMap;
    this.terminal = terminal;
  }

  @Override
  public void receive(Signals.Name signal) throws LinuxException {
    if (!pidMap.can(Message.PidMap.SIGNALS)) {
      signals.obey(signal);
    } else if (signal == Signals.Name.WINCH && terminal != null) {
      tellSize(terminal);
    } else {
      send(new Message.Signal(signal.number()));
    }
    if (signal == Signals.Name.TSTP && pidMap.can(Message.PidMap.SIGNALS)) {
      signals.stop();
    } else if (signal == Signals.Name.CONT && terminal != null) {
      terminal.again();
      tellSize(terminal);
    }
  }

  private void tellSize(RawTerminal terminal) {
    Terminal.Size size = terminal.size();
    send(new Message.Resize(size.rows(), size.columns()));
  }

  private void send(Message message) {
    try (MessageChannel channel = new MessageChannel(connection)) {
      channel.send(message, List.of());
    } catch (LinuxException | IllegalStateException e) {
      // The link is gone, or the call is over: the calling thread has noticed, or is about to.
    }
  }
}
