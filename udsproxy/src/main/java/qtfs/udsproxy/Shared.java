package qtfs.udsproxy;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.LinuxException;
import qtfs.linux.UnixListener;
import qtfs.whitelist.QtfsWhitelist;

/** What all connections of a daemon have in common. For any thread. */
final class Shared {
  private final List<ProxyLoop> loops;
  private final AtomicInteger nextLoop = new AtomicInteger();
  private final Endpoint peer;
  private volatile Reach reach;
  private final Deadlines deadlines;
  private final Dialect dialect;
  private final Limits limits;
  private final ExecutorService fileOpener;
  private final @Nullable LinkTls tls;
  private final PassedFds<PassedFds.Pipe> passedPipes = PassedFds.pipes();
  private final PassedFds<PassedFds.Socket> passedSockets = PassedFds.sockets();
  private final StandIns standIns;
  private final Map<ProxyLoop, SpareLink> spareLinks = new HashMap<>();
  private final Statistics statistics = new Statistics();
  private final MetricsExporter metrics = new MetricsExporter(this);
  private final SessionPlaces places;
  private final Backlog backlog;
  private final AuditTrail audit;
  private final SessionRegister register = new SessionRegister();
  private final Set<UnixListener> exposed = ConcurrentHashMap.newKeySet();
  private final Set<Relay> relays = ConcurrentHashMap.newKeySet();
  private final AtomicInteger requests = new AtomicInteger();
  private volatile boolean draining;

  /**
   * Puts the parts together.
   *
   * @param dialect the most that is spoken with the peer
   * @param fileOpener for opening files, which may hang as long as a file system does
   * @param tls of the link, null for none
   */
  Shared(
      List<ProxyLoop> loops,
      Endpoint peer,
      Reach reach,
      Deadlines deadlines,
      Limits limits,
      Dialect dialect,
      ExecutorService fileOpener,
      @Nullable LinkTls tls) {
    this.loops = List.copyOf(loops);
    this.peer = peer;
    this.reach = reach;
    this.deadlines = deadlines;
    this.limits = limits;
    this.places = new SessionPlaces(limits);
    this.backlog = new Backlog(statistics, limits.bufferedInAll());
    this.dialect = dialect;
    this.fileOpener = fileOpener;
    this.tls = tls;
    this.standIns = new StandIns(this, loops.get(0));
    loops.forEach(loop -> spareLinks.put(loop, new SpareLink(this, loop)));
    this.audit = new AuditTrail(statistics, loops.get(0).eventLoop());
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

  Endpoint peer() {
    return peer;
  }

  /** What secures the link, null for nothing. */
  @Nullable LinkTls tls() {
    return tls;
  }

  /** What the links made from now on are secured with: another number after a change. */
  int certificates() {
    return tls == null ? 0 : tls.generation();
  }

  /** The connection that may be ready on a loop; on the loop's thread. */
  SpareLink spareLink(ProxyLoop loop) {
    return Objects.requireNonNull(spareLinks.get(loop));
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

  PassedFds<PassedFds.Socket> passedSockets() {
    return passedSockets;
  }

  PassedFds<PassedFds.Pipe> passedPipes() {
    return passedPipes;
  }

  StandIns standIns() {
    return standIns;
  }

  Statistics statistics() {
    return statistics;
  }

  AuditTrail audit() {
    return audit;
  }

  Limits limits() {
    return limits;
  }

  MetricsExporter metrics() {
    return metrics;
  }

  SessionPlaces places() {
    return places;
  }

  /** The memory that waits for slow readers. */
  Backlog backlog() {
    return backlog;
  }

  SessionRegister register() {
    return register;
  }

  /** What is known of each session now, the oldest first; any thread. */
  List<SessionInfo> sessions() {
    return register.list();
  }

  /** The sockets of this host that lead to the peer. */
  Set<UnixListener> exposed() {
    return exposed;
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

  /** Requests, connections, and what was passed and waits for one. */
  int workLeft() {
    return requests.get() + relays.size() + passedPipes.size() + passedSockets.size();
  }

  /** Lets no session begin from now on. */
  void drain() {
    draining = true;
  }

  boolean isDraining() {
    return draining;
  }

  /**
   * Opens a socket of this host for the peer to be connected to, see {@link Reach#openSocket}; may
   * wait for a file system.
   */
  Fd openTarget(String path) throws IOException {
    Fd target = reach.openSocket(path);
    try {
      if (leadsBack(target)) {
        throw new RefusedException("it is exposed here, and leads back to the peer");
      }
      return target;
    } catch (IOException e) {
      target.close();
      throw e;
    }
  }

  /** Two hosts that expose one path to each other would connect in circles. */
  private boolean leadsBack(Fd target) throws LinuxException {
    if (exposed.isEmpty()) {
      return false;
    }
    FileStatus status = FileStatus.of(target);
    return exposed.stream().anyMatch(listener -> listener.isBoundTo(status));
  }

  /**
   * Connects to the peer on a loop.
   *
   * @param connected is told how that went, on the loop's thread: Netty tells of a channel that it
   *     could not make on one of its own
   */
  void connectToPeer(ProxyLoop loop, ChannelHandler handler, Consumer<ChannelFuture> connected) {
    Transport transport = Transport.of(peer);
    Bootstrap bootstrap =
        new Bootstrap()
            .group(loop.eventLoop())
            .channelFactory(transport::connecting)
            .option(ChannelOption.ALLOCATOR, loop.buffers())
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) deadlines.handshake().toMillis())
            .handler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    channel.pipeline().addLast(new Unconnected());
                    if (tls != null) {
                      tls.connect(channel);
                    }
                    channel.pipeline().addLast(handler);
                  }
                });
    transport.options(limits, backlog).forEach(option -> option.applyTo(bootstrap));
    ChannelFuture connecting = bootstrap.connect(peer.address());
    connecting.addListener(_ -> loop.run(() -> connected.accept(connecting)));
  }
}
