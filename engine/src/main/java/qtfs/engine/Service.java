package qtfs.engine;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Epoll;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.LockFile;
import qtfs.linux.Log;
import qtfs.linux.ProcessAttributes;
import qtfs.linux.RunDirectory;
import qtfs.udsproxy.InheritedSockets;
import qtfs.udsproxy.ProxyDaemon;
import qtfs.udsproxy.StartException;
import qtfs.whitelist.Group;
import qtfs.whitelist.QtfsWhitelist;
import qtfs.whitelist.WhitelistException;

/**
 * A running engine: its lock, the module with its lists and threads, and the proxy. {@link #start}
 * gives one that serves, {@link #stop} leaves nothing of it behind.
 *
 * <p>The kernel opens the client's files in this process, in its descriptor table and with its
 * umask: both belong to the module from the start on, and nothing here relies on them. Methods are
 * called by one thread.
 */
final class Service {
  private static final long OPEN_FILES = 65536;

  /** The client's modes count, not ours. */
  private static final int UMASK = 0;

  /** An idle request lasts 0.3 s, with a client 1 s: that is left to the end of the process. */
  private static final Duration STOPPING = Duration.ofMillis(450);

  private final EngineConfig config;
  private final LockFile lock;
  private @Nullable ServerModule module;
  private @Nullable Fd epoll;
  private @Nullable Workers workers;
  private @Nullable ProxyDaemon proxy;
  private boolean armed;
  private boolean leftArmed;

  private Service(EngineConfig config, LockFile lock) {
    this.config = config;
    this.lock = lock;
  }

  /**
   * Starts to serve.
   *
   * @param inherited the sockets that the proxy need not open; taken over
   * @param ended given the reason, on any thread, if the service ends without {@link #stop}
   * @throws EngineException if it cannot be, with nothing left behind
   */
  static Service start(EngineConfig config, InheritedSockets inherited, Consumer<String> ended)
      throws EngineException, InterruptedException {
    QtfsWhitelist whitelist = load(config.whitelist());
    Service service = new Service(config, lock(config.proxy().runDirectory()));
    boolean serving = false;
    try {
      if (!inherited.hasLink()) {
        // Before the kernel module is touched, though only the proxy will need it.
        config.proxy().address().requireFree();
      }
      service.begin(whitelist, inherited, ended);
      serving = true;
      return service;
    } catch (LinuxException | StartException e) {
      throw new EngineException(e);
    } finally {
      if (!serving) {
        service.stop();
      }
    }
  }

  /** The deployed engine's order of things. */
  private void begin(QtfsWhitelist whitelist, InheritedSockets inherited, Consumer<String> ended)
      throws EngineException, LinuxException, StartException {
    // The proxy wants as many, and says so if there are fewer.
    long ignored = ProcessAttributes.raiseOpenFiles(OPEN_FILES);
    ServerModule opened = ServerModule.open(config.device());
    module = opened;
    Fd events = Epoll.open();
    epoll = events;
    opened.useEpoll(events);
    armed = true; // whatever it answers
    opened.arm();
    opened.lists().fill(whitelist).forEach(Log::warn);
    requireMount(config, whitelist);
    ProcessAttributes.umask(UMASK);
    opened.giveBuffers(config.threads());
    workers = new Workers(opened, ended);
    workers.start(config.threads());
    ProxyDaemon started = ProxyDaemon.start(config.proxy(), inherited);
    proxy = started;
    started.addMetrics(new ModuleMetrics(opened));
  }

  private static LockFile lock(Path directory) throws EngineException {
    Path file = directory.resolve("engine.lock");
    try {
      RunDirectory.prepare(directory);
      return LockFile.tryAcquire(file)
          .orElseThrow(
              () ->
                  new EngineException(
                      "another engine is already running: it holds " + file + "; stop it first"));
    } catch (IOException e) {
      throw new EngineException(e);
    }
  }

  static QtfsWhitelist load(Path file) throws EngineException {
    try {
      return QtfsWhitelist.load(file);
    } catch (WhitelistException e) {
      throw new EngineException(e);
    }
  }

  /**
   * Lets the proxy and the module follow the whitelist file as it is now.
   *
   * @return a line for each entry of the module's that came or went
   * @throws EngineException if the file cannot be used: both keep the one that they have
   * @throws IOException if the module has not taken all of it
   */
  List<String> reload() throws EngineException, IOException {
    requireNonNull(proxy).reloadTls();
    QtfsWhitelist whitelist = load(config.whitelist());
    requireMount(config, whitelist);
    requireNonNull(proxy).whitelist(whitelist);
    return requireNonNull(module).lists().level(whitelist);
  }

  /** Sets what is done when the proxy is asked to drain and end. */
  void endWhenDrained(Runnable action) {
    requireNonNull(proxy).endWhenDrained(action);
  }

  /** Whether the proxy's loops answer; the module's threads cannot be asked. */
  boolean isAlive() {
    return requireNonNull(proxy).isAlive();
  }

  /** Lets no connection begin through the proxy; the client's files are served on. */
  void drain() {
    requireNonNull(proxy).drain();
  }

  /** The proxy's connections. */
  int workLeft() {
    return requireNonNull(proxy).workLeft();
  }

  /**
   * Ends everything, or what there is of it.
   *
   * @return whether it has; otherwise requests to the module are still under way, or connections,
   *     and the process must end soon
   */
  boolean stop() throws InterruptedException {
    long deadline = System.nanoTime() + STOPPING.toNanos();
    if (workers != null) {
      workers.stop();
    }
    if (armed && module != null) {
      module.disarm().ifPresent(this::leaveArmed);
    }
    Thread proxyStop = Thread.ofPlatform().daemon().name("stop").start(this::stopProxy);
    boolean all = workers == null || workers.join(deadline);
    all &= proxyStop.join(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())));
    if (all) {
      close(); // which who is still in a request would stumble over
    }
    return all;
  }

  private void leaveArmed(String why) {
    leftArmed = true;
    Log.error(
        "the kernel module is left armed with its whitelists: "
            + why
            + "; start and stop an engine once more, or unload qtfs_server");
  }

  /** Whether a stop could not make the module serve no more. */
  boolean hasLeftArmed() {
    return leftArmed;
  }

  private void stopProxy() {
    if (proxy != null) {
      proxy.stop();
    }
  }

  private void close() {
    if (epoll != null) {
      epoll.close();
    }
    if (module != null) {
      module.close();
    }
    lock.close();
  }

  /** Without a directory to mount, the client has no use for this host. */
  static void requireMount(EngineConfig config, QtfsWhitelist whitelist) throws EngineException {
    if (whitelist.entries(Group.MOUNT).isEmpty()) {
      throw new EngineException(
          config.whitelist()
              + " lets the client mount nothing: name at least one directory, such as "
              + Group.MOUNT.line("/srv"));
    }
  }
}
