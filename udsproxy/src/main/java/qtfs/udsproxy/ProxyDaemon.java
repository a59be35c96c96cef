package qtfs.udsproxy;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import qtfs.linux.LinuxException;
import qtfs.linux.LockFile;
import qtfs.linux.Log;
import qtfs.linux.Pipe;
import qtfs.linux.ProcessAttributes;
import qtfs.linux.RunDirectory;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.udsproxy.connector.ConnectRequest;
import qtfs.udsproxy.connector.InvalidRequestException;
import qtfs.udsproxy.connector.Mark;
import qtfs.whitelist.QtfsWhitelist;
import qtfs.whitelist.WhitelistException;

/**
 * A running proxy: its lock, its sockets, its loops. {@link #start} gives one that serves, {@link
 * #stop} leaves nothing of it behind.
 */
public final class ProxyDaemon {
  /** The name of every thread that connects a unix socket: the kernel module exempts it by that. */
  public static final String THREAD_NAME = "udsproxyd";

  private static final int BACKLOG = 4096;
  private static final long OPEN_FILES = 65536;
  private static final int FILE_OPENERS = 64;

  private final LockFile lock;
  private final MultiThreadIoEventLoopGroup group;
  private final ThreadPoolExecutor fileOpener;
  private final Shared shared;

  /** How each is closed; on the first loop. */
  private final List<Runnable> localSockets = new ArrayList<>();

  private final Channel server;

  private ProxyDaemon(ProxyConfig config, LockFile lock, Reach reach) throws StartException {
    this.lock = lock;
    ThreadFactory threads = task -> new Thread(task, THREAD_NAME);
    this.group =
        new MultiThreadIoEventLoopGroup(config.threads(), threads, EpollIoHandler.newFactory());
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
    for (int i = 0; i < config.threads(); i++) {
      loops.add(new ProxyLoop(group.next()));
    }
    this.shared =
        new Shared(loops, config.peer(), reach, config.deadlines(), config.dialect(), fileOpener);
    Log.debug(LOADED_AT_START.size() + " classes loaded ahead");
    this.server = bindServer(config);
    try {
      on(loops.get(0), () -> openSockets(config.runDirectory()));
    } catch (IOException e) {
      stop();
      throw new StartException(e);
    }
  }

  /**
   * What the first connections need beyond what the start itself has used. Named here, it is loaded
   * now: a process that is out of descriptors cannot open the file that a class is in, and the JVM
   * does not try again.
   */
  private static final List<Class<?>> LOADED_AT_START =
      List.of(
          LocalConnect.class,
          PeerConnection.class,
          PeerRequestor.class,
          PeerRequest.Pipe.class,
          PeerRequest.Uds.class,
          ConnectRequest.class,
          InvalidRequestException.class,
          Session.class,
          ToPeer.class,
          FromPeer.class,
          FdSender.class,
          Frame.ScmPipe.class,
          Frame.ScmRights.class,
          FrameReader.class,
          FrameReader.Event.class,
          Frame.From.class,
          Frame.Eof.class,
          Frame.Gone.class,
          Link.class,
          Mark.class,
          Requester.class,
          PipeEnd.class,
          PipeRelay.class,
          PipeSink.class,
          PipeSource.class,
          ProtocolException.class,
          RefusedException.class,
          Pipe.class,
          UnixSocket.Credentials.class);

  /** Opens what local applications and operators connect to; on the first loop. */
  private Void openSockets(Path directory) throws IOException {
    ProxyLoop loop = shared.loops().get(0);
    Acceptor requests =
        Acceptor.start(
            loop.eventLoop(),
            UnixListener.bind(directory.resolve("remote_uds.sock"), BACKLOG),
            connector -> LocalConnect.start(shared, shared.chooseLoop(), connector));
    localSockets.add(requests::close);
    localSockets.add(Diagnostics.state(loop, directory, shared)::close);
    localSockets.add(Diagnostics.logLevel(loop, directory)::close);
    return null;
  }

  /**
   * Starts a proxy.
   *
   * @throws StartException if it cannot, with nothing left behind
   */
  public static ProxyDaemon start(ProxyConfig config) throws StartException {
    Reach reach = reach(config);
    LockFile lock = lock(config.runDirectory());
    boolean started = false;
    try {
      long limit = ProcessAttributes.raiseOpenFiles(OPEN_FILES);
      if (limit < OPEN_FILES) {
        Log.warn("may open " + limit + " files only, " + OPEN_FILES + " are wanted");
      }
      ProxyDaemon daemon = new ProxyDaemon(config, lock, reach);
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

  private static Reach reach(ProxyConfig config) throws StartException {
    if (config.anySocket()) {
      Log.warn("--allow-any-socket: the peer reaches every unix socket of this host");
    }
    if (config.anyFile()) {
      Log.warn("--allow-any-file: the peer opens every regular file of this host");
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

  private Channel bindServer(ProxyConfig config) throws StartException {
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(group)
            .channelFactory(() -> Shared.closeOnExec(new EpollServerSocketChannel()))
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .option(ChannelOption.SO_REUSEADDR, true)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    admit(channel);
                  }
                });
    try {
      Channel channel = bootstrap.bind(config.address()).syncUninterruptibly().channel();
      channel.pipeline().addLast(new AcceptErrors(text(config.address())));
      return channel;
    } catch (Exception e) {
      // Netty throws what the bind failed with, checked or not.
      throw abandon(
          new StartException(
              "cannot listen on "
                  + text(config.address())
                  + ": "
                  + e.getMessage()
                  + "; is the address this host's own, and is the port free?"));
    }
  }

  /**
   * Names what keeps the proxy from accepting. Stands behind Netty's own acceptor, which after an
   * error pauses for a second and hands the error on.
   */
  private static final class AcceptErrors extends ChannelInboundHandlerAdapter {
    private final String address;

    AcceptErrors(String address) {
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

  private static String text(InetSocketAddress address) {
    return address.getAddress().getHostAddress() + ":" + address.getPort();
  }

  /** Lets the peer's host in and nobody else, before a byte of theirs is looked at. */
  private void admit(Channel channel) {
    InetAddress from = ((InetSocketAddress) channel.remoteAddress()).getAddress();
    if (!from.equals(shared.peer().getAddress())) {
      shared.statistics().refused();
      Log.warn("refused a connection from " + from.getHostAddress() + ": it is not the peer");
      channel.close();
      return;
    }
    Shared.options().forEach(option -> option.applyTo(channel));
    PeerConnection.start(shared, channel);
  }

  /** Runs something on a loop and waits for its result. */
  private static <T> T on(ProxyLoop loop, Callable<T> task) throws IOException {
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
   * Lets the peer reach what another whitelist allows, from now on; connections that there are
   * stay. Any thread, one at a time.
   */
  public void whitelist(QtfsWhitelist whitelist) {
    shared.whitelist(whitelist);
  }

  /** The port that the peer connects to, for a configuration that left it open. */
  int port() {
    return ((InetSocketAddress) server.localAddress()).getPort();
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
            localSockets.forEach(Runnable::run);
            shared.standIns().close();
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
    shared.passedPipes().close();
    shared.loops().forEach(ProxyLoop::close);
  }
}
