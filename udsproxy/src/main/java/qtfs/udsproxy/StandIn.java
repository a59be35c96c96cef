package qtfs.udsproxy;

import java.util.Queue;
import qtfs.linux.UnixSocket;

/** A socket {@code <path>.proxy}. On the stand-ins' loop; owns the socket and its file. */
interface StandIn {
  /** What has to be connected to it. */
  UnixSocket.Type type();

  /** Whether applications find it: somebody may have removed the socket. */
  boolean isThere();

  /** Lets a connection wait for its application. */
  void await(StandIns.Waiting connection, Requester asking);

  /** Takes back a connection; whether it was still waiting. */
  boolean giveUp(StandIns.Waiting connection);

  /** All that wait. */
  Queue<StandIns.Waiting> waiting();

  /** Removes the socket. */
  void close();
}
