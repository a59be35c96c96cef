package qtfs.udsproxy;

import java.util.List;

/** What is done next to a {@link ModelledSession}: by an application, by the network, or to it. */
sealed interface ModelStep {
  /** The two hosts. */
  enum Side {
    A,
    B;

    Side other() {
      return this == A ? B : A;
    }
  }

  /** What an application passes. */
  enum Passed {
    FILE,
    MEMFD,
    DIRECTORY,
    DEVICE,

    /** Not in the whitelist of the other host. */
    SECRET_FILE,

    /** Means nothing on another host. */
    DATAGRAM_SOCKET,

    /** Opened by O_PATH only. */
    HANDLE
  }

  /** Sends so many bytes, as far as there is room, with such descriptors beside the first. */
  record Send(Side from, int bytes, List<Passed> fds) implements ModelStep {}

  /** Receives once, at most so many bytes. */
  record Read(Side by, int most) implements ModelStep {}

  /** Receives all that there is. */
  record Drain(Side by) implements ModelStep {}

  /** Ends its stream, and reads on. */
  record End(Side of) implements ModelStep {}

  /** Is gone. */
  record Close(Side of) implements ModelStep {}

  /** The network takes so many bytes along. */
  record Carry(Side from, int most) implements ModelStep {}

  /** The network takes along all there is, both ways. */
  record Flow() implements ModelStep {}

  /** The network is gone. */
  record Cut() implements ModelStep {}

  /** Somebody slips a frame in that is none. */
  record Garbage(Side from, int msgtype, int msglen) implements ModelStep {}
}
