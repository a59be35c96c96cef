package qtfs.rexec;

import java.io.Closeable;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import qtfs.linux.ChildProcess;
import qtfs.linux.ExitStatus;
import qtfs.linux.LinuxException;
import qtfs.linux.Log;
import qtfs.linux.Poll;

/**
 * The children of this server, held or running. Safe from any thread; a child is known until the
 * moment it is reaped, so that a signal never hits a stranger of the same number.
 */
final class Children implements Closeable {
  private static final int SIGKILL = 9;

  private final Set<ChildProcess> children = new HashSet<>();
  private final Set<ChildProcess> started = new HashSet<>();
  private boolean closed;

  /** Takes note of a child; kills it if the server is ending. */
  synchronized void add(ChildProcess child) {
    children.add(child);
    if (closed) {
      kill(child);
    }
  }

  /** A child that was held is a program now, which may outlive the server. */
  synchronized void started(ChildProcess child) {
    started.add(child);
  }

  /** Reaps a child that has ended. */
  synchronized ExitStatus reap(ChildProcess child) throws LinuxException {
    forget(child);
    return child.reap();
  }

  /** Forgets a child that is gone and reaped. */
  synchronized void forget(ChildProcess child) {
    children.remove(child);
    started.remove(child);
  }

  /** Kills and reaps a child, unless it is reaped already. */
  void end(ChildProcess child) throws LinuxException {
    if (knows(child)) {
      kill(child);
      Poll.readable(Deadline.FOREVER, child.pidfd());
      takeLeft(child);
    }
  }

  private synchronized void takeLeft(ChildProcess child) throws LinuxException {
    forget(child);
    Optional<ExitStatus> ignored = child.reapIfLeft();
  }

  private synchronized boolean knows(ChildProcess child) {
    return children.contains(child);
  }

  synchronized int size() {
    return children.size();
  }

  /** Kills a child and its whole group. */
  static void kill(ChildProcess child) {
    try {
      child.signalGroup(SIGKILL);
      // For one that has not made its group yet.
      child.signal(SIGKILL);
    } catch (LinuxException e) {
      Log.warn("cannot kill " + child.pid() + ": " + e.getMessage());
    }
  }

  /** Kills those that run no program yet, and whoever comes yet; the programs stay. */
  synchronized void leavePrograms() {
    closed = true;
    children.stream().filter(child -> !started.contains(child)).forEach(Children::kill);
  }

  /** Kills them all, and whoever comes yet. */
  @Override
  public synchronized void close() {
    closed = true;
    children.forEach(Children::kill);
  }
}
