package qtfs.rexec;

import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import qtfs.linux.ChildProcess;
import qtfs.linux.ExitStatus;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.Log;
import qtfs.linux.Poll;

/**
 * The time from a program's start to its end. For the session's thread.
 *
 * <p>The client's signals go to the program's group. When the client is gone or the time is over,
 * the group is told to end by SIGTERM, and ended by SIGKILL when the grace time is over; without a
 * grace time, as from a C client, by SIGKILL at once.
 */
final class Supervision {
  private static final int SIGHUP = 1;
  private static final int SIGKILL = 9;
  private static final int SIGTERM = 15;
  private static final int SIGCONT = 18;
  private static final int HIGHEST_SIGNAL = 64;

  /** How often those are looked for who have outlived the program. */
  private static final Duration TURN = Duration.ofMillis(20);

  private final MessageChannel channel;
  private final ChildProcess child;
  private final Wishes wishes;
  private final @Nullable ProgramTerminal terminal;
  private Deadline next;
  private boolean ending;
  private boolean timedOut;
  private boolean clientGone;

  /**
   * Begins now.
   *
   * @param terminal of the program, null if it has none; stays the caller's
   */
  Supervision(
      MessageChannel channel,
      ChildProcess child,
      Wishes wishes,
      @Nullable ProgramTerminal terminal) {
    this.channel = channel;
    this.child = child;
    this.wishes = wishes;
    this.terminal = terminal;
    this.next = wishes.timeout() == null ? Deadline.NEVER : Deadline.after(wishes.timeout());
  }

  /**
   * How a program ended.
   *
   * @param timedOut whether it was ended for the time that it took
   * @param clientGone whether nobody is left to be told
   */
  record Outcome(ExitStatus status, boolean timedOut, boolean clientGone) {
    /** What the client is told. */
    Message.Kill message() {
      if (timedOut) {
        return new Message.Kill(ExitCode.TIMED_OUT, Message.Kill.End.TIMED_OUT);
      }
      return switch (status) {
        case ExitStatus.Exited(int code) -> new Message.Kill(code, Message.Kill.End.EXITED);
        case ExitStatus.Killed _ -> new Message.Kill(status.shellCode(), Message.Kill.End.SIGNALED);
      };
    }
  }

  /** Waits for the end of the program, and of its group if that was told to end. */
  Outcome await(Children children) throws LinuxException {
    while (!hasEnded()) {
      if (next.isOver()) {
        advance();
      }
    }
    ExitStatus status = children.reap(child);
    if (ending) {
      endGroup();
    }
    return new Outcome(status, timedOut, clientGone);
  }

  /** Waits until something happens; true if it is the program's end. */
  private boolean hasEnded() throws LinuxException {
    int[] events =
        clientGone
            ? Poll.readable(next.left(), child.pidfd())
            : Poll.readable(next.left(), child.pidfd(), channel.socket());
    if (events[0] == 0 && events.length > 1 && events[1] != 0) {
      listen();
    }
    return events[0] != 0;
  }

  private void listen() throws LinuxException {
    try (MessageChannel.Received received =
        channel.receive(Deadline.after(Session.REQUEST_LIMIT))) {
      switch (received == null ? null : received.message()) {
        case Message.Signal(int number) -> signal(number);
        case Message.Resize resize when terminal != null -> terminal.resize(resize);
        case null -> lose();
        case Message.Resize _,
            Message.Echo _,
            Message.Exec _,
            Message.PipeMessage _,
            Message.Handshake _,
            Message.PidMap _,
            Message.Kill _ ->
            throw new ProtocolException("another message while the program runs");
      }
    } catch (LinuxException e) {
      lose();
    } catch (IOException e) {
      Log.warn("pid " + child.pid() + ": " + String.valueOf(e.getMessage()));
      lose();
    }
  }

  private void signal(int number) throws ProtocolException {
    if (number < 1 || number > HIGHEST_SIGNAL) {
      throw new ProtocolException("signal " + number);
    }
    try {
      child.signalGroup(number);
    } catch (LinuxException e) {
      Log.warn(String.valueOf(e.getMessage()));
    }
  }

  /** The client is gone: nobody waits for the program any more. */
  private void lose() throws LinuxException {
    clientGone = true;
    if (!ending) {
      end();
    }
  }

  private void advance() throws LinuxException {
    if (ending) {
      kill();
    } else {
      timedOut = true;
      end();
    }
  }

  private void end() throws LinuxException {
    ending = true;
    Duration grace = wishes.killGrace();
    if (grace == null || grace.isZero()) {
      kill();
      return;
    }
    if (terminal != null) {
      // What a shell at a terminal ends at, and tells its jobs, is not SIGTERM.
      child.signalGroup(SIGHUP);
    }
    child.signalGroup(SIGTERM);
    child.signalGroup(SIGCONT);
    next = Deadline.after(grace);
  }

  private void kill() {
    Children.kill(child);
    next = Deadline.NEVER;
  }

  /** Whoever is left of the group has what is left of the grace time. */
  private void endGroup() throws LinuxException {
    while (child.hasGroup()) {
      if (next.isOver() || next == Deadline.NEVER) {
        child.signalGroup(SIGKILL);
        return;
      }
      Poll.readable(TURN, new Fd[0]);
    }
  }
}
