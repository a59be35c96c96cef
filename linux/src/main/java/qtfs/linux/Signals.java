package qtfs.linux;

import java.lang.foreign.MemorySegment;
import java.lang.reflect.Proxy;

/**
 * Signals to this process as tasks.
 *
 * <p>A task runs on a thread of the JVM's, one for each signal that arrives, and hands the event on
 * rather than doing the work. Signals do not end a system call in other threads for good: the JVM
 * has its handlers installed with SA_RESTART.
 */
public final class Signals {
  private static final MemorySegment SIGNAL = Libc.function("signal");
  private static final int SIG_DFL = 0;

  /** A signal that a program is told things by, with its number on x86-64 and aarch64. */
  public enum Name {
    HUP(1),
    INT(2),
    TERM(15);

    private final int number;

    Name(int number) {
      this.number = number;
    }
  }

  private Signals() {}

  /**
   * Runs a task for every arrival of a signal from now on, also where whoever started this process
   * had it ignored: a shell does so with SIGINT for what runs in the background, and the JVM would
   * leave it at that.
   */
  public static void on(Name signal, Runnable task) {
    int ignored = Libc.call(SIGNAL, signal.number, SIG_DFL);
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
