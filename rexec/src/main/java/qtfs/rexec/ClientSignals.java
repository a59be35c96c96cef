package qtfs.rexec;

import java.io.IOException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import qtfs.linux.LinuxException;
import qtfs.linux.Log;
import qtfs.linux.ProcessAttributes;
import qtfs.linux.SignalQueue;
import qtfs.linux.Signals;

/**
 * The signals to a caller: for the program while there is one, else they do to the caller what
 * signals do. One at a time.
 *
 * <p>Those to this process are taken on a thread of their own. The launcher starts the JVM with all
 * of them blocked, and they are taken from a queue. Started otherwise, the JVM's own handlers stand
 * in, which cannot have SIGQUIT.
 */
final class ClientSignals {
  private final Leftovers leftovers = new Leftovers();
  private final Deeds deeds;
  private final Object handover = new Object();
  private @Nullable Receiver receiver; // under handover

  /** What signals do to a process. */
  interface Deeds {
    /** Ends it; does not return. */
    void exit(int code);

    /** Stops it, until somebody sends it SIGCONT. */
    void stop() throws LinuxException;
  }

  /** What they do to this process. */
  private static final class OwnDeeds implements Deeds {
    @Override
    public void exit(int code) {
      ProcessAttributes.exitNow(code);
    }

    @Override
    public void stop() throws LinuxException {
      Signals.stop();
    }
  }

  /** Those to this process. */
  ClientSignals() {
    this(new OwnDeeds());
  }

  /** Those to another, which are {@link #take taken} one by one. */
  ClientSignals(Deeds deeds) {
    this.deeds = deeds;
  }

  /** Who takes the signals. */
  interface Receiver {
    /** On the thread that takes them. */
    void receive(Signals.Name signal) throws LinuxException;
  }

  /** Where signals come from. */
  private interface Source {
    Signals.Name take() throws LinuxException, InterruptedException;
  }

  /** What is closed before a signal ends this process, and at the end of a call. */
  Leftovers leftovers() {
    return leftovers;
  }

  /** Begins to take those to this process; once. */
  void start() throws LinuxException {
    Source source = source();
    Thread thread =
        new Thread("signals") {
          @Override
          public void run() {
            takeAll(source);
          }
        };
    thread.setDaemon(true);
    thread.start();
  }

  private static Source source() throws LinuxException {
    SignalQueue queue = SignalQueue.open(Signals.Name.values());
    return queue == null
        ? handled()
        : new Source() {
          @Override
          public Signals.Name take() throws LinuxException {
            return queue.take();
          }
        };
  }

  private static Source handled() {
    BlockingQueue<Signals.Name> queue = new LinkedBlockingQueue<>();
    for (Signals.Name signal : Signals.Name.values()) {
      if (signal == Signals.Name.QUIT) {
        // Rather than the JVM's list of threads among the program's output.
        Signals.byDefault(signal);
      } else if (!Signals.isIgnored(signal)) {
        Signals.on(signal, () -> queue.add(signal));
      }
    }
    return queue::take;
  }

  private void takeAll(Source source) {
    try {
      while (true) {
        take(source.take());
      }
    } catch (LinuxException e) {
      OwnProcess.say("no signals any more: " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Does with a signal what is to be done. */
  void take(Signals.Name signal) throws LinuxException {
    Receiver program;
    synchronized (handover) {
      program = receiver;
    }
    if (program == null) {
      obey(signal);
    } else {
      program.receive(signal);
    }
  }

  /** What lets a program start. */
  interface Start {
    void go() throws IOException, RexecException;
  }

  /**
   * Lets the program start and passes them on from then on: one that comes meanwhile waits, so that
   * none is lost to a program that runs already.
   */
  void passTo(Receiver program, Start start) throws IOException, RexecException {
    synchronized (handover) {
      start.go();
      receiver = program;
    }
  }

  /** Passes none on any more. */
  void keep() {
    synchronized (handover) {
      receiver = null;
    }
  }

  /** Stops the caller as a signal does. */
  void stop() throws LinuxException {
    deeds.stop();
  }

  /** Does what the signal does to a process. */
  void obey(Signals.Name signal) throws LinuxException {
    switch (signal) {
      case HUP, INT, QUIT, USR1, USR2, TERM -> {
        leftovers.close();
        deeds.exit(128 + signal.number());
      }
      case TSTP -> deeds.stop();
      case CONT, WINCH -> Log.debug("signal " + signal);
    }
  }
}
