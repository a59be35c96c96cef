package qtfs.udsproxy;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.unix.UnixChannel;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import qtfs.linux.Fcntl;
import qtfs.linux.LinuxException;
import qtfs.whitelist.QtfsWhitelist;

/** What all connections of a daemon have in common. For any thread. */
final class Shared {
  /** Enough for the bandwidth of a fast link, little enough for a thousand slow readers. */
  private static final WriteBufferWaterMark WATER_MARK =
      new WriteBufferWaterMark(64 * 1024, 256 * 1024);

  private final List<ProxyLoop> loops;
  private final AtomicInteger nextLoop = new AtomicInteger();
  private final InetSocketAddress peer;
  private volatile Reach reach;
  private final Deadlines deadlines;
  private final Dialect dialect;
  private final ExecutorService fileOpener;
  private final PassedPipes passedPipes = new PassedPipes();
  private final StandIns standIns;
  private final Statistics statistics = new Statistics();
  private final SessionRegister register = new SessionRegister();
  private final Set<Relay> relays = ConcurrentHashMap.newKeySet();
  private final AtomicInteger requests = new AtomicInteger();
  private volatile boolean draining;

  /**
   * Puts the parts together.
   *
   * @param dialect the most that is spoken with the peer
   * @param fileOpener for opening files, which may hang as long as a file system does
   */
  Shared(
      List<ProxyLoop> loops,
      InetSocketAddress peer,
      Reach reach,
      Deadlines deadlines,
      Dialect dialect,
      ExecutorService fileOpener) {
    this.loops = List.copyOf(loops);
    this.peer = peer;
    this.reach = reach;
    this.deadlines = deadlines;
    this.dialect = dialect;
    this.fileOpener = fileOpener;
    this.standIns = new StandIns(this, loops.get(0));
  }

  /** The loop that the next connection lives on. */
  ProxyLoop chooseLoop() {
    return loops.get(Math.floorMod(nextLoop.getAndIncrement(), loops.size()));
  }

  /** The loop that a channel has been registered with. */
  ProxyLoop loopOf(Channel channel) {
    for (ProxyLoop loop : loops) {
      if (loop.eventLoop().equals(channel.eventLoop())) {
        return loop;
      }
    }
    throw new IllegalStateException("a channel on a loop that is not the proxy's");
  }

  List<ProxyLoop> loops() {
    return loops;
  }

  InetSocketAddress peer() {
    return peer;
  }

  Reach reach() {
    return reach;
  }

  /** Decides by another whitelist from now on; what has been decided stays. */
  void whitelist(QtfsWhitelist whitelist) {
    reach = reach.with(whitelist);
  }

  Deadlines deadlines() {
    return deadlines;
  }

  /** The most that is spoken with the peer, if it understands it. */
  Dialect dialect() {
    return dialect;
  }

  ExecutorService fileOpener() {
    return fileOpener;
  }

  PassedPipes passedPipes() {
    return passedPipes;
  }

  StandIns standIns() {
    return standIns;
  }

  Statistics statistics() {
    return statistics;
  }

  SessionRegister register() {
    return register;
  }

  /** What is known of each session now, the oldest first; any thread. */
  List<SessionInfo> sessions() {
    return register.list();
  }

  /** The connections that carry data now; each removes itself when it has ended. */
  Set<Relay> relays() {
    return relays;
  }

  /** Counts a request that has begun and is no relay yet. */
  void requestBegins() {
    requests.incrementAndGet();
  }

  /** Counts it no more, after what the loop is doing now: by then it may be a relay. */
  void requestEnds(ProxyLoop loop) {
    loop.eventLoop().execute(requests::decrementAndGet);
  }

  /** Requests, connections, and pipes that wait for one. */
  int workLeft() {
    return requests.get() + relays.size() + passedPipes.size();
  }

  /** Lets no session begin from now on. */
  void drain() {
    draining = true;
  }

  boolean isDraining() {
    return draining;
  }

  /** Connects to the peer on a loop. */
  ChannelFuture connectToPeer(ProxyLoop loop, ChannelHandler handler) {
    Bootstrap bootstrap =
        new Bootstrap()
            .group(loop.eventLoop())
            .channelFactory(() -> closeOnExec(new EpollSocketChannel()))
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) deadlines.handshake().toMillis())
            .handler(handler);
    options().forEach(option -> option.applyTo(bootstrap));
    return bootstrap.connect(peer);
  }

  /** Netty opens sockets that a program started by this process would have too. */
  static <C extends UnixChannel> C closeOnExec(C channel) {
    try {
      Fcntl.closeOnExec(channel.fd().intValue(), true);
      return channel;
    } catch (LinuxException e) {
      throw new IllegalStateException("a new socket that is none", e);
    }
  }

  /** An option of the sockets between the two proxies, on whichever side it was opened. */
  record SocketOption<T>(ChannelOption<T> option, T value) {
    void applyTo(Bootstrap bootstrap) {
      bootstrap.option(option, value);
    }

    void applyTo(Channel channel) {
      channel.config().setOption(option, value);
    }
  }

  /** The options of every socket between the two proxies. */
  static List<SocketOption<?>> options() {
    return List.of(
        new SocketOption<>(ChannelOption.AUTO_READ, false),
        new SocketOption<>(ChannelOption.ALLOW_HALF_CLOSURE, true),
        new SocketOption<>(ChannelOption.TCP_NODELAY, true),
        // A peer that has vanished without a word is noticed within a minute and a half.
        new SocketOption<>(ChannelOption.SO_KEEPALIVE, true),
        new SocketOption<>(EpollChannelOption.TCP_KEEPIDLE, 30),
        new SocketOption<>(EpollChannelOption.TCP_KEEPINTVL, 10),
        new SocketOption<>(EpollChannelOption.TCP_KEEPCNT, 6),
        new SocketOption<>(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK),
        new SocketOption<>(
            ChannelOption.RECVBUF_ALLOCATOR, new AdaptiveRecvByteBufAllocator(2048, 16384, 65536)));
  }
}
