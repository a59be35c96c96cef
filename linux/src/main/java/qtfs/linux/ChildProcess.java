package qtfs.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static qtfs.linux.LinuxException.check;

import java.io.Closeable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * A child of this process, leader of a process group of its own.
 *
 * <p>Until {@link #reap} its number belongs to it, so that signals cannot hit a stranger. The pidfd
 * becomes readable when it ends.
 */
public final class ChildProcess implements Closeable {
  private static final MemorySegment SYSCALL = Libc.function("syscall");
  private static final MemorySegment WAITID = Libc.function("waitid");
  private static final MemorySegment KILL = Libc.function("kill");
  private static final MemorySegment SETPRIORITY = Libc.function("setpriority");
  // asm-generic/unistd.h: numbers from 424 on are the same on every architecture. glibc has a
  // pidfd_open of its own only since 2.36.
  private static final int SYS_PIDFD_SEND_SIGNAL = 424;
  private static final int SYS_PIDFD_OPEN = 434;
  private static final int SIGKILL = 9;
  private static final int P_PID = 1;
  private static final int PRIO_PROCESS = 0; // linux/resource.h
  private static final int WEXITED = 4;
  private static final int SIGINFO_SIZE = 128;
  private static final int CLD_EXITED = 1;

  private final int pid;
  private final Fd pidfd;

  private ChildProcess(int pid, Fd pidfd) {
    this.pid = pid;
    this.pidfd = pidfd;
  }

  /** Takes charge of a child that this process has started and nobody has reaped. */
  static ChildProcess of(int pid) throws LinuxException {
    Fd pidfd = Fd.own(check(Libc.call(SYSCALL, SYS_PIDFD_OPEN, pid, 0), "pidfd_open " + pid));
    return new ChildProcess(pid, pidfd);
  }

  public int pid() {
    return pid;
  }

  /** Readable once the process has ended; owned by this object. */
  public Fd pidfd() {
    return pidfd;
  }

  /** Sends a signal to the process itself; one that is gone, reaped or not, is no error. */
  public void signal(int signal) throws LinuxException {
    // Not by its number, as posix_spawn reaps what it could not start, on a thread of its own.
    int result = Libc.call(SYSCALL, SYS_PIDFD_SEND_SIGNAL, pidfd.number(), signal, 0, 0, 0);
    if (result != -Errno.ESRCH) {
      check(result, "kill " + pid);
    }
  }

  /** Sends a signal to the process and everybody in its group; nobody left is no error. */
  public void signalGroup(int signal) throws LinuxException {
    int result = Libc.call(KILL, -pid, signal);
    if (result != -Errno.ESRCH) {
      check(result, "kill process group " + pid);
    }
  }

  /** Whether anybody is in its group: for a child that is reaped, whom it has left behind. */
  public boolean hasGroup() {
    return Libc.call(KILL, -pid, 0) != -Errno.ESRCH;
  }

  /** Sets the niceness of the process. */
  public void nice(int value) throws LinuxException {
    check(Libc.call(SETPRIORITY, PRIO_PROCESS, pid, value), "nice " + value);
  }

  /** Waits for the end of the process and takes its status; once. */
  public ExitStatus reap() throws LinuxException {
    return reap(pid);
  }

  /**
   * Waits for the end of a process that may never have become its program, and takes its status.
   *
   * @return empty if posix_spawn has taken it, which it does where it could not start the program
   */
  public Optional<ExitStatus> reapIfLeft() throws LinuxException {
    try {
      return Optional.of(reap());
    } catch (LinuxException e) {
      if (e.errno() == Errno.ECHILD) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** Kills a child that nobody has taken charge of. */
  static void kill(int pid) throws LinuxException {
    check(Libc.call(KILL, pid, SIGKILL), "kill " + pid);
  }

  /** Reaps one. */
  static ExitStatus reap(int pid) throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment siginfo = arena.allocate(SIGINFO_SIZE, 8);
      int result;
      do {
        result = Libc.call(WAITID, P_PID, pid, siginfo.address(), WEXITED);
      } while (result == -Errno.EINTR);
      check(result, "waitid " + pid);
      int status = siginfo.get(JAVA_INT, 24); // si_status
      return siginfo.get(JAVA_INT, 8) == CLD_EXITED // si_code
          ? new ExitStatus.Exited(status)
          : new ExitStatus.Killed(status);
    }
  }

  @Override
  public void close() {
    pidfd.close();
  }
}
