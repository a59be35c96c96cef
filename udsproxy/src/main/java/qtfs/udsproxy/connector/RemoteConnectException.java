package qtfs.udsproxy.connector;

import java.io.IOException;

/** A connection that could not be made: at which step, for which errno, and what to do about it. */
public final class RemoteConnectException extends IOException {
  private static final long serialVersionUID = 1L;

  /** How far the connector came. */
  public enum Step {
    /** The socket is on this host, or nobody can say, and connecting to it failed. */
    LOCAL,
    /** No udsproxyd runs that could be asked. */
    DAEMON,
    /** udsproxyd took the request but gave no answer. */
    ANSWER,
    /** udsproxyd answered that the other host gave no connection. */
    REFUSED,
    /** The stand-in socket that udsproxyd had announced took no connection. */
    PROXY
  }

  private final Step step;
  private final int errno;

  RemoteConnectException(Step step, int errno, String message) {
    super(message);
    this.step = step;
    this.errno = errno;
  }

  public Step step() {
    return step;
  }

  /**
   * The errno that a program without a connector would have seen. For {@link Step#DAEMON} that of
   * the connect on this host, for {@link Step#REFUSED} that of the connect on the other if the
   * daemons could tell it, else and for {@link Step#ANSWER} ECONNREFUSED.
   */
  public int errno() {
    return errno;
  }
}
