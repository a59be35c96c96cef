package qtfs.rexec;

import java.io.Closeable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import qtfs.linux.Fd;
import qtfs.linux.Poll;
import qtfs.linux.PollSet;

/**
 * What goes on in the agent while a call waits, all on the call's one thread: its streams are
 * copied, and its launcher is listened to. Owns the copies.
 */
final class CallLoop implements Waiting, Closeable {
  /** The launcher, three streams, and what a call waits for. */
  private static final int MOST = 8;

  private final Listener launcher;
  private final PollSet set = new PollSet(MOST);
  private final Arena arena = Arena.ofConfined();
  private final List<Relay> relays = new ArrayList<>();

  /** Who is listened to. */
  interface Listener {
    Fd fd();

    /** Takes what has come; throws {@link CallOver} where that is the end. */
    void listen();
  }

  CallLoop(Listener launcher) {
    this.launcher = launcher;
  }

  /** Has a copy take part. */
  Relay add(Relay relay) {
    relays.add(relay);
    return relay;
  }

  /** Memory until the end of the call. */
  MemorySegment allocate(int size) {
    return arena.allocate(size);
  }

  @Override
  public int[] readable(Duration timeout, Fd... fds) {
    Deadline deadline = timeout.isNegative() ? Deadline.NEVER : Deadline.after(timeout);
    int[] events = new int[fds.length];
    boolean any;
    do {
      any = turn(deadline, events, fds);
    } while (!any && !deadline.isOver());
    return events;
  }

  /** Goes on until a copy has ended, or for some time. */
  void turnUntilEnd(Relay relay, int millis) {
    Deadline deadline = Deadline.after(Duration.ofMillis(millis));
    while (!relay.isDone() && !deadline.isOver()) {
      boolean ignored = turn(deadline, new int[0]);
    }
  }

  /** Waits for anything once, and does it; whether one of the descriptors has an event. */
  private boolean turn(Deadline deadline, int[] events, Fd... fds) {
    set.clear();
    int first = set.add(launcher.fd(), Poll.IN) + 1;
    for (Fd fd : fds) {
      int ignored = set.add(fd, Poll.IN);
    }
    for (Relay relay : relays) {
      relay.addTo(set);
    }
    set.await(deadline.left());
    if (set.events(first - 1) != 0) {
      launcher.listen();
    }
    for (Relay relay : relays) {
      relay.turn(set);
    }
    boolean any = false;
    for (int i = 0; i < fds.length; i++) {
      events[i] = set.events(first + i);
      any |= events[i] != 0;
    }
    return any;
  }

  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      for (Relay relay : relays) {
        relay.close();
      }
      set.close();
      arena.close();
    }
  }
}
