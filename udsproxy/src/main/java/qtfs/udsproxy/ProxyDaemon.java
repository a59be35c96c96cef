package qtfs.udsproxy;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.util.concurrent.FastThreadLocalThread;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import qtfs.linux.ClassPath;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.LockFile;
import qtfs.linux.Log;
import qtfs.linux.ProcessAttributes;
import qtfs.linux.RunDirectory;
import qtfs.linux.UnixListener;
import qtfs.whitelist.QtfsWhitelist;
import qtfs.whitelist.WhitelistException;

/**
 * A running proxy: its lock, its sockets, its loops. {@link #start} gives one that serves, {@link
 * #stop} leaves nothing of it behind.
 */
public final class ProxyDaemon {
  /** The name of every thread that connects a unix socket: the kernel module exempts it by that. */
  public static final String THREAD_NAME = "udsproxyd";

  private static final long OPEN_FILES = 65536;
  private static final int FILE_OPENERS = 64;
  private static final int PAGE = 8192;
  private static final int CHUNK_ORDER = 7; // 128 pages
  private static final int CACHED_SMALL = 256; // as Netty has them, of each size and loop
  private static final int CACHED_NORMAL = 64;

  private final LockFile lock;
  private final MultiThreadIoEventLoopGroup group;
  private final ThreadPoolExecutor fileOpener;
  private final Shared shared;

  /** How each socket that new sessions come from is closed; on the first loop. */
  private final List<Runnable> entrances = new ArrayList<>();

  /** How each is closed that is there until the end; on the first loop. */
  private final List<Runnable> localSockets = new ArrayList<>();

  private final Path whitelistFile;
  private final Channel server;
  private final LoopPulse pulse;
  private volatile Runnable endWhenDrained = this::drain;

  private ProxyDaemon(
      ProxyConfig config,
      InheritedSockets inherited,
      LockFile lock,
      Reach reach,
      @Nullable LinkTls tls)
      throws StartException {
    this.lock = lock;
    this.whitelistFile = config.whitelist();
    this.group = eventLoops(config.threads());
    this.fileOpener =
        new ThreadPoolExecutor(
            0,
            FILE_OPENERS,
            10,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            task -> Thread.ofPlatform().daemon().name(THREAD_NAME).unstarted(task),
            // All are stuck in a file system: this one waits for it too.
            new ThreadPoolExecutor.CallerRunsPolicy());
    List<ProxyLoop> loops = new ArrayList<>();
    ByteBufAllocator buffers = buffers(config.threads());
    for (int i = 0; i < config.threads(); i++) {
      loops.add(new ProxyLoop(group.next(), buffers));
    }
    this.shared =
        new Shared(
            loops,
            config.peer(),
            reach,
            config.deadlines(),
            config.limits(),
            config.dialect(),
            fileOpener,
            tls);
    loops.forEach(loop -> LoopProbe.start(loop, shared.statistics().loopLag()));
    loops.forEach(loop -> DeadLinks.start(shared, loop));
    ClassPath.openJars();
    this.server = bindServer(config, inherited);
    this.pulse = new LoopPulse(loops);
    try {
      on(loops.get(0), () -> openSockets(config, inherited));
      showMetrics(config.metrics());
    } catch (IOException e) {
      stop();
      throw new StartException(e);
    } catch (StartException e) {
      stop();
      throw e;
    }
  }

  /**
   * Pools what a read of the link or of a unix socket takes: Netty's default allocator has memory
   * of more than 64 KiB made, and cleared, for each. Chunks of 1 MiB, which go back when unused.
   */
  private static ByteBufAllocator buffers(int loops) {
    return new PooledByteBufAllocator(
        true, 0, loops, PAGE, CHUNK_ORDER, CACHED_SMALL, CACHED_NORMAL, false);
  }

  private static MultiThreadIoEventLoopGroup eventLoops(int count) throws StartException {
    ThreadFactory threads = task -> new FastThreadLocalThread(task, THREAD_NAME);
    try {
      return new MultiThreadIoEventLoopGroup(count, threads, EpollIoHandler.newFactory());
    } catch (UnsatisfiedLinkError | RuntimeException e) {
      // What Netty says where it gets no descriptor; the reason is at the bottom.
      Throwable reason = e;
      while (reason.getCause() != null) {
        reason = reason.getCause();
      }
      throw new StartException("cannot make " + count + " event loops: " + reason.getMessage());
    }
  }

  /** Opens what local applications and operators connect to; on the first loop. */
  private Void openSockets(ProxyConfig config, InheritedSockets inherited) throws IOException {
    Path directory = config.runDirectory();
    ProxyLoop loop = shared.loops().get(0);
    Acceptor requests =
        Acceptor.start(
            loop.eventLoop(),
            requestsListener(directory, inherited),
            connector -> LocalConnect.start(shared, shared.chooseLoop(), connector));
    entrances.add(requests::close);
    localSockets.add(Diagnostics.state(loop, directory, shared)::close);
    localSockets.add(Diagnostics.logLevel(loop, directory)::close);
    localSockets.add(new MetricsEndpoint(loop, shared.metrics()).listen(directory)::close);
    Exposures exposures = new Exposures(shared);
    Control control = new Control(shared, config, exposures, this::endWhenDrained);
    localSockets.add(ControlSocket.open(shared, loop, directory, control)::close);
    entrances.add(exposures::close);
    for (Exposure exposure : config.exposures()) {
      exposures.add(exposure);
    }
    return null;
  }

  private void showMetrics(@Nullable InetSocketAddress address) throws StartException {
    if (address != null) {
      Channel channel = new MetricsEndpoint(shared.loops().get(0), shared.metrics()).bind(address);
      localSockets.add(channel::close);
    }
  }

  private static UnixListener requestsListener(Path directory, InheritedSockets inherited)
      throws IOException {
    Optional<UnixListener> given = inherited.takeRequests();
    if (given.isEmpty()) {
      return UnixListener.bind(directory.resolve("remote_uds.sock"), Transport.BACKLOG);
    }
    Log.info("local applications ask at the inherited socket " + given.get().path());
    return given.get();
  }

  /**
   * Starts a proxy that opens its sockets itself; see {@link #start(ProxyConfig,
   * InheritedSockets)}.
   */
  public static ProxyDaemon start(ProxyConfig config) throws StartException {
    return start(config, InheritedSockets.none());
  }

  /**
   * Starts a proxy.
   *
   * @param inherited the sockets that it need not open; taken over
   * @throws StartException if it cannot, with nothing left behind
   */
  public static ProxyDaemon start(ProxyConfig config, InheritedSockets inherited)
      throws StartException {
    try (inherited) {
      inherited.requireLink(Transport.of(config.address()));
      LinkTls tls = tls(config);
      return start(config, inherited, reach(config), tls, lock(config.runDirectory()));
    }
  }

  private static ProxyDaemon start(
      ProxyConfig config,
      InheritedSockets inherited,
      Reach reach,
      @Nullable LinkTls tls,
      LockFile lock)
      throws StartException {
    boolean started = false;
    try {
      long limit = ProcessAttributes.raiseOpenFiles(OPEN_FILES);
      if (limit < OPEN_FILES) {
        Log.warn("may open " + limit + " files only, " + OPEN_FILES + " are wanted");
      }
      ProxyDaemon daemon = new ProxyDaemon(config, inherited, lock, reach, tls);
      started = true;
      return daemon;
    } catch (LinuxException e) {
      throw new StartException(e);
    } finally {
      if (!started) {
        lock.close();
      }
    }
  }

  private static @Nullable LinkTls tls(ProxyConfig config) throws StartException {
    if (config.tls().isPresent()) {
      return LinkTls.start(config.tls().get(), config.deadlines().handshake());
    }
    if (config.address().leavesTheHost()) {
      Log.warn(
          "the link is not secured: whoever can reach the network between "
              + config.address()
              + " and "
              + config.peer()
              + " can read and write what applications send through it, and be the peer; secure it"
              + " with --tls-cert, --tls-key and --tls-ca");
    }
    return null;
  }

  private static Reach reach(ProxyConfig config) throws StartException {
    if (config.anySocket()) {
      Log.warn("--allow-any-socket: the peer reaches every unix socket of this host");
    }
    if (config.anyFile()) {
      Log.warn("--allow-any-file: the peer opens every regular file and directory of this host");
    }
    try {
      QtfsWhitelist whitelist = QtfsWhitelist.loadIfPresent(config.whitelist());
      return new Reach(
          whitelist, config.whitelist(), rexecSocket(), config.anySocket(), config.anyFile());
    } catch (WhitelistException e) {
      throw new StartException(e);
    }
  }

  private static String rexecSocket() {
    String directory = System.getenv("REXEC_RUN_DIR");
    return (directory == null ? "/var/run/rexec" : directory) + "/rexec_uds.sock";
  }

  private static LockFile lock(Path directory) throws StartException {
    try {
      RunDirectory.prepare(directory);
      return LockFile.tryAcquire(directory.resolve("uds.lock"))
          .orElseThrow(
              () ->
                  new StartException(
                      "another proxy is running: it holds "
                          + directory.resolve("uds.lock")
                          + "; stop it, or give this one a --run-dir of its own"));
    } catch (IOException e) {
      throw new StartException(e);
    }
  }

  private Channel bindServer(ProxyConfig config, InheritedSockets inherited) throws StartException {
    Transport transport = Transport.of(config.address());
    Optional<Fd> link = inherited.takeLink();
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(group)
            .channelFactory(() -> serverSocket(transport, link))
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    admit(channel);
                  }
                });
    try {
      ChannelFuture listening =
          link.isPresent() ? bootstrap.register() : bootstrap.bind(config.address().address());
      Channel channel = listening.syncUninterruptibly().channel();
      channel.pipeline().addLast(new AcceptErrors(config.address()));
      return channel;
    } catch (Exception e) {
      // Netty throws what the bind failed with, checked or not.
      throw abandon(config.address().cannotListen(e));
    }
  }

  private static ServerChannel serverSocket(Transport transport, Optional<Fd> inherited) {
    if (inherited.isEmpty()) {
      return transport.listening();
    }
    ServerChannel channel = transport.listening(inherited.get().number());
    Log.info("the peer connects to the inherited socket at " + Endpoint.of(channel.localAddress()));
    return channel;
  }

  /**
   * Names what keeps the proxy from accepting. Stands behind Netty's own acceptor, which after an
   * error pauses for a second and hands the error on.
   */
  private static final class AcceptErrors extends ChannelInboundHandlerAdapter {
    private final Endpoint address;

    AcceptErrors(Endpoint address) {
      this.address = address;
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      Log.error("cannot accept on " + address + ": " + cause.getMessage());
    }
  }

  private StartException abandon(StartException reason) {
    stopLoops();
    return reason;
  }

  /** Lets the peer's host in and nobody else, before a byte of theirs is looked at. */
  private void admit(Channel channel) {
    SocketAddress address = channel.remoteAddress();
    if (address == null) { // Not even that could be asked any more.
      channel.close();
      return;
    }
    Endpoint from = Endpoint.of(address);
    if (!shared.peer().isHostOf(address)) {
      shared.audit().stranger(from.toString(), "this is not the peer's address");
      channel.close();
      return;
    }
    channel.config().setAllocator(shared.loopOf(channel).buffers());
    Transport.of(from)
        .options(shared.limits(), shared.backlog())
        .forEach(option -> option.applyTo(channel));
    LinkTls tls = shared.tls();
    if (tls == null) {
      PeerConnection.start(shared, channel);
    } else {
      tls.accept(
          channel,
          () -> PeerConnection.start(shared, channel),
          reason -> shared.audit().stranger(from.toString(), reason));
    }
  }

  /** Runs something on a loop and waits for its result. */
  static <T> T on(ProxyLoop loop, Callable<T> task) throws IOException {
    try {
      return loop.eventLoop().submit(task).get(10, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException cause) {
        throw cause;
      }
      throw new IllegalStateException(e.getCause());
    } catch (TimeoutException e) {
      throw new IOException("an event loop does not answer", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  /**
   * Reads again what the operator may have changed: the whitelist and the certificates. Of a file
   * that is broken it keeps what it had. Connections that there are stay. Any thread, one at a
   * time.
   */
  public void reload() {
    reloadTls();
    try {
      QtfsWhitelist before = shared.reach().whitelist();
      QtfsWhitelist now = QtfsWhitelist.loadIfPresent(whitelistFile);
      shared.whitelist(now);
      WhitelistChanges.between(before, now).tell(whitelistFile);
    } catch (WhitelistException e) {
      e.problems().forEach(problem -> Log.error("the whitelist stays as it is: " + problem));
    }
  }

  /**
   * Reads the certificates again, for links that are made from now on. If a file is broken, all
   * stays as it is, with a line in the log. Any thread, one at a time.
   */
  public void reloadTls() {
    if (shared.tls() != null) {
      shared.tls().reload();
    }
  }

  /**
   * Lets the peer reach what another whitelist allows, from now on; connections that there are
   * stay. Any thread, one at a time.
   */
  public void whitelist(QtfsWhitelist whitelist) {
    shared.whitelist(whitelist);
  }

  /** Shows the metrics of another part of this process next to the proxy's; any thread. */
  public void addMetrics(MetricsSource source) {
    shared.metrics().add(source);
  }

  /**
   * Lets no session begin from now on, and lets those there are go on. Their pipes are still
   * fetched, so the peer's connections are accepted and its new sessions refused. Any thread but a
   * loop's.
   */
  public void drain() {
    shared.drain();
    try {
      on(
          shared.loops().get(0),
          () -> {
            entrances.forEach(Runnable::run);
            entrances.clear();
            return null;
          });
      for (ProxyLoop loop : shared.loops()) {
        on( // after which every connector that was accepted counts as work
            loop,
            () -> {
              shared.spareLink(loop).close();
              return null;
            });
      }
    } catch (IOException e) {
      Log.error("while beginning to drain: " + e.getMessage());
    }
  }

  /** Sets what {@link #endWhenDrained} does: to drain, and to end then. */
  public void endWhenDrained(Runnable action) {
    endWhenDrained = action;
  }

  /** Asks the program that the proxy is part of to drain and then to end; does not wait. */
  void endWhenDrained() {
    endWhenDrained.run();
  }

  /** How many sessions and other connections there are, or soon will be. */
  public int workLeft() {
    return shared.workLeft();
  }

  /** Whether every event loop has answered since this was last true. By one thread. */
  public boolean isAlive() {
    return pulse.isThere();
  }

  /** The port that the peer connects to, for a configuration that left it open. */
  int port() {
    return Endpoint.of(server.localAddress()).port();
  }

  Shared shared() {
    return shared;
  }

  /**
   * Ends everything: no new connections, those there are cut, sockets and lock removed. Returns
   * when it is done, within about a second.
   */
  public void stop() {
    try {
      server.close().await(1, TimeUnit.SECONDS);
      on(
          shared.loops().get(0),
          () -> {
            entrances.forEach(Runnable::run);
            localSockets.forEach(Runnable::run);
            shared.standIns().close();
            shared.audit().close();
            return null;
          });
      for (ProxyLoop loop : shared.loops()) {
        on(
            loop,
            () -> {
              shared.relays().stream().filter(r -> r.loop() == loop).forEach(Relay::abort);
              return null;
            });
      }
    } catch (IOException e) {
      Log.error("while stopping: " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    stopLoops();
    lock.close();
  }

  private void stopLoops() {
    group
        .shutdownGracefully(0, shared.deadlines().stopping().toMillis(), TimeUnit.MILLISECONDS)
        .awaitUninterruptibly(shared.deadlines().stopping().toMillis() + 1000);
    fileOpener.shutdown();
    shared.metrics().close();
    shared.passedPipes().close();
    shared.passedSockets().close();
    shared.loops().forEach(ProxyLoop::close);
    LinkTls tls = shared.tls();
    if (tls != null) {
      tls.close();
    }
  }
}
