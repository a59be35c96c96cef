package qtfs.udsproxy;

import io.netty.channel.Channel;
import java.net.SocketAddress;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A session in the register: who and where, and what has gone through it so far. The counts are
 * written on the session's loop; any thread may {@link #info look}.
 */
final class SessionEntry {
  private final long number;
  private final SessionInfo.Direction direction;
  private final String path;
  private volatile @Nullable Requester requester;
  private final String peer;
  private final Dialect dialect;
  private final Statistics statistics;
  private final SessionPlaces.Place place;
  private final int depth;
  private final Instant since = Instant.now();
  private final long started = System.nanoTime();
  private final LoopCounter active = new LoopCounter(); // System.nanoTime()
  private final LoopCounter bytesToPeer = new LoopCounter();
  private final LoopCounter bytesFromPeer = new LoopCounter();
  private final LoopCounter fdsToPeer = new LoopCounter();
  private final LoopCounter fdsFromPeer = new LoopCounter();
  private final LoopCounter pipes = new LoopCounter();

  /** A session that was asked for, and begins now; see the other. */
  SessionEntry(
      Statistics statistics,
      SessionInfo.Direction direction,
      String path,
      @Nullable Requester requester,
      Channel tcp,
      Dialect dialect,
      SessionPlaces.Place place) {
    this(statistics, direction, path, requester, tcp, dialect, place, 0);
  }

  /**
   * A session that begins now.
   *
   * @param place taken over, freed by {@link #close}
   * @param depth how many sockets were passed one through the other until this one was
   */
  SessionEntry(
      Statistics statistics,
      SessionInfo.Direction direction,
      String path,
      @Nullable Requester requester,
      Channel tcp,
      Dialect dialect,
      SessionPlaces.Place place,
      int depth) {
    this.statistics = statistics;
    this.number = statistics.nextSession(direction, dialect.word());
    this.direction = direction;
    this.path = path;
    this.requester = requester;
    this.peer = text(tcp.remoteAddress());
    this.dialect = dialect;
    this.place = place;
    this.depth = depth;
    this.active.set(started);
  }

  /** An address for the log; a channel that is gone has none. */
  static String text(@Nullable SocketAddress address) {
    return address == null ? "?" : Endpoint.of(address).toString();
  }

  /** How many sockets were passed one through the other until this session's was; 0 for none. */
  int depth() {
    return depth;
  }

  /** For the log. */
  String name() {
    return "session " + number;
  }

  /** What was asked for. */
  String path() {
    return path;
  }

  /** Who has asked for the session; null as long as nobody has told. */
  @Nullable Requester requester() {
    return requester;
  }

  /** The peer has told who has asked. */
  void requestedBy(Requester who) {
    requester = who;
  }

  /** Payload has gone to the peer. */
  void toPeer(int bytes) {
    bytesToPeer.add(bytes);
    statistics.bytes(Statistics.Way.TO_PEER, bytes);
    active.set(System.nanoTime());
  }

  /** Payload of the peer's has been delivered. */
  void fromPeer(int bytes) {
    bytesFromPeer.add(bytes);
    statistics.bytes(Statistics.Way.FROM_PEER, bytes);
    active.set(System.nanoTime());
  }

  /** An application of this host has passed a descriptor, and it can cross. */
  void fdToPeer(FdKind kind) {
    fdsToPeer.add(1);
    count(Statistics.Way.TO_PEER, kind);
  }

  /** The peer's application has passed a descriptor, and there is one for it here. */
  void fdFromPeer(FdKind kind) {
    fdsFromPeer.add(1);
    count(Statistics.Way.FROM_PEER, kind);
  }

  private void count(Statistics.Way way, FdKind kind) {
    statistics.fd(way, kind);
    if (kind == FdKind.PIPE) {
      pipes.add(1);
    }
  }

  /** The session is over. */
  void close() {
    place.free();
  }

  /** How long nothing has gone either way. */
  Duration idle() {
    return Duration.ofNanos(System.nanoTime() - active.get());
  }

  /** How long it has been there, in nanoseconds. */
  long age() {
    return System.nanoTime() - started;
  }

  SessionInfo.Direction direction() {
    return direction;
  }

  /** What is known of it now; any thread. */
  SessionInfo info() {
    return new SessionInfo(
        number,
        direction,
        path,
        requester,
        peer,
        dialect.word(),
        since,
        idle(),
        bytesToPeer.get(),
        bytesFromPeer.get(),
        fdsToPeer.get(),
        fdsFromPeer.get(),
        pipes.get());
  }
}
