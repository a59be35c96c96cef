package qtfs.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static qtfs.linux.LinuxException.check;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Proxy;

/**
 * Signals to this process as tasks.
 *
 * <p>A task runs on a thread of the JVM's, one for each signal that arrives, and hands the event on
 * rather than doing the work. Signals do not end a system call in other threads for good: the JVM
 * has its handlers installed with SA_RESTART. A process that was started with signals blocked takes
 * them from a {@link SignalQueue} instead.
 */
public final class Signals {
  private static final MemorySegment SIGNAL = Libc.function("signal");
  private static final MemorySegment SIGACTION = Libc.function("sigaction");
  private static final MemorySegment SIGMASK = Libc.function("pthread_sigmask");
  private static final MemorySegment KILL = Libc.function("kill");
  private static final MemorySegment SETRLIMIT = Libc.function("setrlimit");
  private static final int SIG_DFL = 0;
  private static final int SIG_IGN = 1;
  private static final int SIG_BLOCK = 0;
  private static final int SIG_UNBLOCK = 1;
  private static final int SIGSTOP = 19; // asm/signal.h
  private static final int RLIMIT_CORE = 4; // asm-generic/resource.h
  private static final int SIGACTION_SIZE = 152; // glibc, 64-bit; the handler first
  static final int SIGSET_SIZE = 128;

  /** A signal that a program is told things by, with its number on x86-64 and aarch64. */
  public enum Name {
    HUP(1),
    INT(2),
    QUIT(3),
    USR1(10),
    USR2(12),
    TERM(15),
    CONT(18),
    TSTP(20),
    WINCH(28);

    private final int number;

    Name(int number) {
      this.number = number;
    }

    public int number() {
      return number;
    }
  }

  private Signals() {}

  /** Whether whoever started this process wants it to be deaf to a signal, as nohup(1) does. */
  public static boolean isIgnored(Name signal) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment action = arena.allocate(SIGACTION_SIZE, 8);
      int result = Libc.call(SIGACTION, signal.number, 0, action.address());
      return result == 0 && action.get(JAVA_LONG, 0) == SIG_IGN;
    }
  }

  /** The signals blocked in this thread, bit n-1 for signal n. */
  static long blocked() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment set = arena.allocate(SIGSET_SIZE, 8);
      int ignored = Libc.callReturningErrno(SIGMASK, SIG_BLOCK, 0, set.address(), 0, 0, 0);
      return set.get(JAVA_LONG, 0);
    }
  }

  /** Leaves a signal to the kernel, which for most of them ends the process. */
  public static void byDefault(Name signal) {
    int ignored = Libc.call(SIGNAL, signal.number, SIG_DFL);
  }

  /**
   * Ends this process by a signal, without a core dump. Returns if it is no signal that ends
   * anything.
   */
  public static void die(int signal) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment nothing = arena.allocate(16, 8); // struct rlimit: 0, 0
      int ignored = Libc.call(SETRLIMIT, RLIMIT_CORE, nothing.address());
      ignored = Libc.call(SIGNAL, signal, SIG_DFL);
      MemorySegment set = arena.allocate(SIGSET_SIZE, 8);
      set.set(JAVA_LONG, 0, 1L << (signal - 1));
      ignored = Libc.callReturningErrno(SIGMASK, SIG_UNBLOCK, set.address(), 0, 0, 0, 0);
      // This thread has it unblocked, so it is here before kill returns.
      ignored = Libc.call(KILL, ProcessAttributes.pid(), signal);
    }
  }

  /** Stops this process, until somebody sends it SIGCONT. */
  public static void stop() throws LinuxException {
    check(Libc.call(KILL, ProcessAttributes.pid(), SIGSTOP), "stop");
  }

  /**
   * Runs a task for every arrival of a signal from now on, also where whoever started this process
   * had it ignored: a shell does so with SIGINT for what runs in the background, and the JVM would
   * leave it at that. Not for SIGQUIT, which the JVM keeps for itself.
   */
  public static void on(Name signal, Runnable task) {
    byDefault(signal);
    // By reflection: the compiler warns of every other mention of sun.misc, and the Java platform
    // has no other way to handle SIGHUP.
    try {
      Class<?> signalType = Class.forName("sun.misc.Signal");
      Class<?> handlerType = Class.forName("sun.misc.SignalHandler");
      signalType
          .getMethod("handle", signalType, handlerType)
          .invoke(
              null,
              signalType.getConstructor(String.class).newInstance(signal.name()),
              handler(handlerType, task));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot handle SIG" + signal + ": needs jdk.unsupported", e);
    }
  }

  private static Object handler(Class<?> type, Runnable task) {
    return Proxy.newProxyInstance(
        Signals.class.getClassLoader(),
        new Class<?>[] {type},
        (proxy, method, arguments) -> {
          if (method.getName().equals("handle")) {
            task.run();
          }
          return null;
        });
  }
}
