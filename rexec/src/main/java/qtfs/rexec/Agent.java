package qtfs.rexec;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import qtfs.linux.ClassPath;
import qtfs.linux.Daemon;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.Log;
import qtfs.linux.Pipe;
import qtfs.linux.Poll;
import qtfs.linux.ProcessAttributes;
import qtfs.linux.RunDirectory;
import qtfs.linux.UnixListener;

/**
 * The agent as a service: its listening socket, and a thread for each call under way. Those beyond
 * the most are declined at once, which costs their callers but time.
 */
final class Agent implements Daemon {
  static final String SOCKET = "agent.sock";

  private static final int BACKLOG = 1024;
  private static final int STACK = 256 * 1024;
  private static final int IDLE_SECONDS = 10;
  private static final Duration RETRY = Duration.ofMillis(100);
  private static final long SWEEP_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final UnixListener listener;
  private final AgentRequest.Place place;
  private final int uid;
  private final ThreadPoolExecutor calls;
  private final AtomicInteger underWay = new AtomicInteger();
  private final AtomicLong swept;
  private final AtomicBoolean warned = new AtomicBoolean();
  private final Pipe stop;
  private final Thread accepting;

  private Agent(UnixListener listener, AgentRequest.Place place, int most, Pipe stop) {
    this.listener = listener;
    this.place = place;
    this.uid = ProcessAttributes.uid();
    this.calls =
        new ThreadPoolExecutor(
            0, most, IDLE_SECONDS, TimeUnit.SECONDS, new SynchronousQueue<>(), Agent::thread);
    this.swept = new AtomicLong(System.nanoTime() - SWEEP_NANOS);
    this.stop = stop;
    this.accepting = new Thread(this::acceptAll, "accept");
  }

  private static Thread thread(Runnable work) {
    Thread thread = new Thread(null, work, "call", STACK);
    thread.setDaemon(true);
    return thread;
  }

  /**
   * Starts it.
   *
   * @param runDir made if it is missing, mode 0700
   * @param most calls at once
   * @param inherited a listening socket to be used instead of one of its own; taken over
   */
  static Agent start(Path runDir, int most, Optional<Fd> inherited) throws IOException {
    RunDirectory.prepare(runDir);
    UnixListener listener =
        inherited.isPresent()
            ? UnixListener.inherited(inherited.get())
            : UnixListener.bind(runDir.resolve(SOCKET), BACKLOG);
    ClassPath.openJars();
    Agent agent = new Agent(listener, AgentRequest.Place.own(), most, Pipe.open());
    agent.accepting.start();
    return agent;
  }

  /** Where this process finds its files. */
  AgentRequest.Place place() {
    return place;
  }

  /** The user whose calls it makes. */
  int uid() {
    return uid;
  }

  /**
   * Says, once, that a caller is elsewhere: if all of them are, it is the service that has a mount
   * namespace of its own, and no call goes through it.
   */
  void warnOfPlace(int pid) {
    if (!warned.getAndSet(true)) {
      Log.warn(
          "pid "
              + pid
              + " has another namespace or root directory: declined, as all such calls from now on;"
              + " if that is every call, take ProtectSystem=, PrivateTmp= and the like out of the"
              + " service's unit");
    }
  }

  /** Whether it is time again to remove the pid files of the dead. */
  boolean sweeps() {
    long last = swept.get();
    long now = System.nanoTime();
    return now - last >= SWEEP_NANOS && swept.compareAndSet(last, now);
  }

  private void acceptAll() {
    boolean complained = false;
    while (Poll.readable(Deadline.FOREVER, listener.number(), stop.read().number())[1] == 0) {
      int result = listener.accept(true);
      if (result >= 0) {
        complained = false;
        serve(Fd.own(result));
      } else if (result != -Errno.EAGAIN) {
        if (!complained) {
          Log.error("cannot accept connections: " + Errno.message(-result) + "; trying on");
        }
        complained = true;
        Poll.readable(RETRY, stop.read());
      }
    }
  }

  private void serve(Fd connection) {
    underWay.incrementAndGet();
    AgentCall call = new AgentCall(this, connection);
    try {
      calls.execute(
          () -> {
            try {
              call.run();
            } finally {
              underWay.decrementAndGet();
            }
          });
    } catch (RejectedExecutionException | OutOfMemoryError e) {
      // The latter is what the JVM says when the system gives it no thread.
      underWay.decrementAndGet();
      Log.debug("busy: a call is declined");
      try (AgentChannel channel = new AgentChannel(connection)) {
        channel.decline();
      }
    }
  }

  @Override
  public String status() {
    return "listening at " + listener.path();
  }

  @Override
  public void reload() {
    // There is no file that it reads.
  }

  @Override
  public boolean isAlive() {
    return accepting.isAlive() || !stop.write().isOpen();
  }

  @Override
  public void drain() {
    if (stop.write().isOpen()) {
      stop.write().close();
      try {
        boolean ignored = accepting.join(Duration.ofSeconds(1));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      listener.close();
    }
  }

  @Override
  public int workLeft() {
    return underWay.get();
  }

  @Override
  public void stop() {
    drain();
  }
}
