package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.UnixSocket;
import qtfs.udsproxy.connector.ConnectRequest;

/**
 * The asking of the peer for one of its sockets, from the connecting to its proxy to the session.
 * Each of the two steps, the link and the answer, has a deadline; what the peer sends behind its
 * answer is kept until {@link #startSession}. All on the loop's thread. Owns the link until then.
 */
@ChannelHandler.Sharable // by one link after the other
final class PeerRequestor extends ChannelInboundHandlerAdapter {
  /** Who wants the socket; told once of each, on the loop's thread, and never after a close. */
  interface Listener {
    /** The peer has connected: {@link PeerRequestor#startSession} may be called, now or later. */
    void connected();

    /** There will be no session; also after {@link #connected}, if the link fails meanwhile. */
    void failed(Refusal refusal, String detail);
  }

  private static final int MAX_ERRNO = 4095; // linux/err.h

  private final Shared shared;
  private final ProxyLoop loop;
  private final ConnectRequest request;
  private final Listener listener;
  private final Queue<ByteBuf> early = new ArrayDeque<>();
  private final SpareLink spareLink;
  private @Nullable Channel tcp;
  private boolean madeAhead; // the link, which the peer may have closed meanwhile
  private boolean tcpEof;
  private @Nullable Dialect agreed; // by the answer
  private int peersErrno;
  private boolean over;
  private SessionPlaces.@Nullable Place place;
  private final long started = System.nanoTime();
  private ScheduledFuture<?> deadline;

  private PeerRequestor(Shared shared, ProxyLoop loop, ConnectRequest request, Listener listener) {
    this.shared = shared;
    this.loop = loop;
    this.request = request;
    this.listener = listener;
    this.spareLink = shared.spareLink(loop);
    this.deadline = inTime("the peer cannot be reached");
  }

  /** Begins to ask; the listener may have been told of a failure on return. */
  static PeerRequestor start(
      Shared shared, ProxyLoop loop, ConnectRequest request, Listener listener) {
    PeerRequestor requestor = new PeerRequestor(shared, loop, request, listener);
    shared.requestBegins();
    requestor.connect();
    return requestor;
  }

  private void connect() {
    try {
      place = shared.places().take(SessionInfo.Direction.OUTGOING);
      Channel spare = spareLink.take(this);
      if (spare == null) {
        connectAnew();
      } else {
        madeAhead = true;
        ask(spare);
      }
    } catch (SessionPlaces.FullException e) {
      fail(e.refusal(), e.getMessage());
    }
  }

  private void connectAnew() {
    shared.connectToPeer(loop, this, this::linked);
  }

  private ScheduledFuture<?> inTime(String complaint) {
    return loop.after(
        shared.deadlines().handshake(),
        () -> fail(Refusal.HANDSHAKE_TIMEOUT, complaint + " in time"));
  }

  private void linked(ChannelFuture future) {
    if (!future.isSuccess()) {
      fail(Refusal.PEER_UNREACHABLE, reason(future.cause()));
      return;
    }
    Channel channel = future.channel();
    if (over) {
      channel.close();
      return;
    }
    ask(channel);
  }

  private void ask(Channel channel) {
    tcp = channel;
    ByteBuf out = channel.alloc().directBuffer(Frame.HEADER_LENGTH + ConnectRequest.LENGTH);
    new PeerRequest.Uds(request, shared.dialect()).encode(out);
    channel.writeAndFlush(out);
    deadline.cancel(false);
    deadline = inTime("the peer does not answer");
    channel.read();
    spareLink.prepare();
  }

  /** Netty wraps what has kept it from making a socket. */
  static @Nullable String reason(Throwable failure) {
    Throwable cause = failure.getCause();
    return failure instanceof ChannelException && cause != null
        ? cause.getMessage()
        : failure.getMessage();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ByteBuf in = (ByteBuf) message;
    if (over) {
      in.release();
      return;
    }
    early.add(in);
    if (agreed == null) {
      readAnswer(ctx);
    }
  }

  private void readAnswer(ChannelHandlerContext ctx) {
    int available = early.stream().mapToInt(ByteBuf::readableBytes).sum();
    if (available < PeerRequest.ANSWER_LENGTH) {
      ctx.read();
      return;
    }
    int answer = 0;
    for (int i = 0; i < PeerRequest.ANSWER_LENGTH; i++) {
      ByteBuf head = early.element();
      answer |= head.readUnsignedByte() << (8 * i);
      if (!head.isReadable()) {
        early.remove().release();
      }
    }
    deadline.cancel(false);
    if (answer == PeerRequest.REFUSED) {
      fail(
          Refusal.PEER_REFUSED, "nothing listens there, or the peer's whitelist does not allow it");
    } else if ((answer & 0xffff) == PeerRequest.TLS_ALERT) {
      fail(
          Refusal.PEER_REFUSED,
          "the peer speaks TLS only: give this proxy the three --tls options");
    } else if (isMarked() && answer < 0 && answer >= -MAX_ERRNO) {
      peersErrno = -answer;
      fail(Refusal.PEER_REFUSED, Errno.message(-answer));
    } else {
      boolean understood = isMarked() && answer == PeerRequest.CONNECTED_EXTENDED;
      agreed = understood ? Dialect.EXTENDED : Dialect.V1;
      spareLink.peerIs(agreed);
      shared
          .statistics()
          .connects(SessionInfo.Direction.OUTGOING)
          .record(System.nanoTime() - started);
      listener.connected();
      if (!over) {
        ctx.read(); // once: to pause would be a system call, and another one to go on
      }
    }
  }

  /** Whether the peer has agreed to the extended dialect; from its answer on. */
  boolean isExtended() {
    return agreed == Dialect.EXTENDED;
  }

  private boolean isMarked() {
    return shared.dialect() == Dialect.EXTENDED;
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof ChannelInputShutdownEvent) {
      peerEnded();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    peerEnded();
  }

  /** After its answer the peer may end at once: what it sent until then is still delivered. */
  private void peerEnded() {
    tcpEof = true;
    if (agreed == null) {
      lost("the peer has closed the connection without an answer");
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    lost(cause.getMessage());
  }

  /** What a peer has closed before it was asked may be tried again. */
  private void lost(@Nullable String detail) {
    Channel link = tcp;
    if (over || !madeAhead || link == null || !early.isEmpty() || agreed != null) {
      fail(Refusal.LINK_LOST, detail);
      return;
    }
    madeAhead = false;
    tcp = null;
    tcpEof = false;
    link.pipeline().remove(this);
    link.close();
    connectAnew();
  }

  /**
   * Makes the session of a link that {@link Listener#connected} has told of, and has no part in it.
   *
   * @param who for the log, the peer's too
   * @param application does not block; taken over
   */
  void startSession(Requester who, Fd application) {
    Channel channel = tcp;
    Dialect dialect = agreed;
    SessionPlaces.Place held = place;
    if (over || dialect == null || channel == null || held == null) {
      throw new IllegalStateException("no link to " + request.path());
    }
    over = true;
    shared.requestEnds(loop);
    channel.pipeline().remove(this);
    if (dialect == Dialect.EXTENDED) {
      ByteBuf out = channel.alloc().directBuffer(Frame.HEADER_LENGTH + Frame.MAX_FROM);
      new Frame.From(who).encode(out);
      channel.write(out); // most applications speak first: no packet of its own
      loop.flushSoon(channel);
    }
    SessionEntry entry =
        new SessionEntry(
            shared.statistics(),
            SessionInfo.Direction.OUTGOING,
            request.path(),
            who,
            channel,
            dialect,
            held);
    Link link = new Link(channel, dialect, early, tcpEof);
    Session.start(shared, loop, entry, link, application, applicationType());
  }

  /** Datagrams come through a pair of sockets that knows an end, see {@link DatagramStandIn}. */
  private UnixSocket.Type applicationType() {
    return switch (request.type()) {
      case STREAM -> UnixSocket.Type.STREAM;
      case SEQPACKET, DGRAM -> UnixSocket.Type.SEQPACKET;
    };
  }

  /** The errno that the peer's connect has failed with; 0 if it has not told. */
  int peersErrno() {
    return peersErrno;
  }

  private void fail(Refusal refusal, @Nullable String detail) {
    if (!over) {
      close();
      listener.failed(refusal, String.valueOf(detail));
    }
  }

  /** Gives the link up, unless a session has it. */
  void close() {
    if (over) {
      return;
    }
    over = true;
    shared.requestEnds(loop);
    deadline.cancel(false);
    if (place != null) {
      place.free();
    }
    early.forEach(ByteBuf::release);
    early.clear();
    if (tcp != null) {
      tcp.close();
    }
  }
}
