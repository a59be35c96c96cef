package qtfs.rexec;

import qtfs.linux.Signals;

/** What happens next in a {@link ModelledCall}. */
sealed interface ModelStep {
  /** So many bytes come in at the client's standard input. */
  record Input(int bytes) implements ModelStep {}

  /** The client's standard input ends. */
  record EndInput() implements ModelStep {}

  /** The program reads so many bytes, or what there are before the end. */
  record Take(int bytes) implements ModelStep {}

  /** The program writes so many bytes to its standard output. */
  record Output(int bytes) implements ModelStep {}

  /** The program writes so many bytes to its standard error. */
  record Complaint(int bytes) implements ModelStep {}

  /** The client gets a signal, which the program notices. */
  record Trapped(Signals.Name signal) implements ModelStep {}

  /** How a call ends, whatever comes behind it. */
  sealed interface End extends ModelStep {}

  /** The program exits. */
  record Exit(int code) implements End {}

  /** The program is ended by a signal. */
  record Killed(int signal) implements End {}

  /** The client gets SIGTERM, which the program does not survive. */
  record Ended() implements End {}

  /** The connection between client and server is gone. */
  record Cut() implements End {}

  /** The client hears something that no server says. */
  record GarbageToClient() implements End {}

  /** The server hears something that no client says. */
  record GarbageToServer() implements End {}
}
