package qtfs.rexec;

import org.jspecify.annotations.Nullable;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.RawTerminal;
import qtfs.linux.Terminal;

/** Whether the user sits at a terminal, and what becomes of that during a call. */
final class UserTerminal {
  private UserTerminal() {}

  /** The wishes of a call, with a terminal for the program if it is to have one. */
  static Wishes addTo(Client.Settings call) throws LinuxException {
    Wishes wishes = call.manner().wishes();
    Manner.Terminal use = call.manner().terminal();
    // No switch: that would be a class more in the usual call.
    if (use == Manner.Terminal.NONE || (use == Manner.Terminal.OFFERED && !sitsAtOne(call))) {
      return wishes;
    }
    Caller caller = call.caller();
    Terminal.Size size = size(caller.stream(0), caller.stream(1));
    Fd error = caller.stream(2);
    boolean stderr = error == null || isTerminal(error);
    String type = System.getenv("TERM");
    boolean known = type != null && WishesJson.isTerminalType(type);
    return wishes.on(new Wishes.Terminal(size.rows(), size.columns(), known ? type : "", stderr));
  }

  /** At one and the same, and not in the background, where it must not be touched. */
  private static boolean sitsAtOne(Client.Settings call) throws LinuxException {
    Fd stdin = call.caller().stream(0);
    Fd stdout = call.caller().stream(1);
    return stdin != null
        && stdout != null
        && isTerminal(stdin)
        && isTerminal(stdout)
        && Fcntl.path(stdin.number()).equals(Fcntl.path(stdout.number()))
        && Terminal.isInForeground(stdin);
  }

  private static boolean isTerminal(Fd fd) {
    return Terminal.isTerminal(fd.number());
  }

  private static Terminal.Size size(@Nullable Fd... fds) {
    for (Fd fd : fds) {
      if (fd != null && isTerminal(fd)) {
        return Terminal.size(fd);
      }
    }
    return Terminal.Size.UNKNOWN;
  }

  /** Makes the user's terminal raw until the end of the call, if the program has one for it. */
  static @Nullable RawTerminal makeRaw(Client.Settings call, Message.PidMap server)
      throws LinuxException {
    Fd stdin = call.caller().stream(0);
    if (stdin == null || !server.can(Message.PidMap.TERMINAL) || !isTerminal(stdin)) {
      return null;
    }
    RawTerminal terminal = new RawTerminal(stdin);
    call.caller().signals().leftovers().add(terminal);
    return terminal;
  }
}
