package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.concurrent.ScheduledFuture;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.UnixSocket;
import qtfs.udsproxy.connector.ConnectRequest;

/**
 * A connection that the peer has opened, from its first byte to the session or the pipe. Sockets
 * and files of this host are looked up on threads of their own, because a file system may hang. All
 * else on the loop's thread.
 */
final class PeerConnection extends ChannelInboundHandlerAdapter {
  /** A unix listener with a full backlog says EAGAIN and gives no event when there is room. */
  private static final Duration RETRY = Duration.ofMillis(5);

  private final Shared shared;
  private final ProxyLoop loop;
  private final Channel tcp;
  private final ByteBuf head;
  private final Queue<ByteBuf> early = new ArrayDeque<>();
  private boolean tcpEof;
  private boolean decoded;
  private boolean over;
  private final ScheduledFuture<?> deadline;
  private final long started = System.nanoTime();
  private @Nullable String wanted;
  private Dialect dialect = Dialect.V1;
  private UnixSocket.Type type = UnixSocket.Type.STREAM;
  private SessionPlaces.@Nullable Place place;

  private PeerConnection(Shared shared, ProxyLoop loop, Channel tcp) {
    this.shared = shared;
    this.loop = loop;
    this.tcp = tcp;
    shared.requestBegins();
    this.head = tcp.alloc().buffer(Frame.HEADER_LENGTH + ConnectRequest.LENGTH);
    this.deadline =
        loop.after(
            shared.deadlines().handshake(),
            () -> {
              if (decoded && wanted != null) {
                refuse(
                    Refusal.HANDSHAKE_TIMEOUT, "it does not accept in time", null, Errno.ETIMEDOUT);
              } else {
                drop(Refusal.HANDSHAKE_TIMEOUT, "no complete request in time");
              }
            });
  }

  /** Begins to serve a connection whose other side has been checked; on its loop's thread. */
  static void start(Shared shared, Channel tcp) {
    PeerConnection connection = new PeerConnection(shared, shared.loopOf(tcp), tcp);
    tcp.pipeline().addLast(connection);
    tcp.read();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ByteBuf in = (ByteBuf) message;
    if (over) {
      in.release();
    } else if (decoded) {
      early.add(in);
    } else {
      begin(ctx, in);
    }
  }

  private void begin(ChannelHandlerContext ctx, ByteBuf in) {
    try {
      while (!decoded && in.isReadable()) {
        int needed =
            head.readableBytes() < Frame.HEADER_LENGTH
                ? Frame.HEADER_LENGTH
                : PeerRequest.length(head);
        head.writeBytes(in, Math.min(needed - head.readableBytes(), in.readableBytes()));
        decoded =
            head.readableBytes() >= Frame.HEADER_LENGTH
                && head.readableBytes() == PeerRequest.length(head);
      }
      if (in.isReadable()) {
        early.add(in.retain());
      }
      if (decoded) {
        serve(PeerRequest.decode(head));
      }
      if (!over) {
        // Also for what comes behind the request: to pause would be a system call, and another one
        // to go on.
        ctx.read();
      }
    } catch (RefusedException e) {
      drop(Refusal.NOT_ALLOWED, String.valueOf(e.getMessage()));
    } catch (IOException e) {
      shared.statistics().protocolError();
      drop(Refusal.BAD_REQUEST, String.valueOf(e.getMessage()));
    } finally {
      in.release();
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof ChannelInputShutdownEvent) {
      tcpEof = true;
      if (!decoded) {
        closedBeforeRequest();
      }
    }
  }

  /** A connection that was made ahead and not needed is no more than that. */
  private void closedBeforeRequest() {
    if (head.isReadable()) {
      drop(Refusal.LINK_LOST, "closed before a request was complete");
    } else if (!over) {
      release();
      tcp.close();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    drop(Refusal.LINK_LOST, "closed");
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    drop(Refusal.LINK_LOST, String.valueOf(cause.getMessage()));
  }

  private void serve(PeerRequest request) throws IOException {
    switch (request) {
      case PeerRequest.Pipe(PipeEnd end, int token) -> servePipe(end, token);
      case PeerRequest.Socket(long token) -> serveSocket(token);
      case PeerRequest.Uds(ConnectRequest target, Dialect offered) -> {
        wanted = target.path();
        type = target.type();
        dialect = spoken(offered);
        if (shared.isDraining()) {
          refuse(Refusal.STOPPING, "this proxy is about to end", null);
        } else {
          takePlace(target.path());
        }
      }
    }
  }

  /** Behind TLS is always one of ours, also where a long path leaves no room to say so. */
  private Dialect spoken(Dialect offered) {
    if (shared.tls() != null) {
      return Dialect.EXTENDED;
    }
    return shared.dialect() == Dialect.EXTENDED ? offered : Dialect.V1;
  }

  private void servePipe(PipeEnd end, int token) throws IOException {
    PassedFds.Pipe kept = shared.passedPipes().take(token, pipe -> pipe.end() == end);
    Fd ours = PipeRelay.reopen(end, kept.fd());
    finish();
    PipeRelay.serve(shared, loop, tcp, end, ours, early, kept.owner());
  }

  private void serveSocket(long token) throws RefusedException {
    PassedFds.Socket kept = shared.passedSockets().take(token, any -> true);
    Link link = new Link(tcp, Dialect.EXTENDED, early, tcpEof);
    Runnable session = SocketRelay.serve(shared, loop, kept, link);
    finish();
    session.run();
  }

  // ---- the target

  private void takePlace(String path) {
    try {
      place = shared.places().take(SessionInfo.Direction.INCOMING);
      if (!connectAtOnce(path)) {
        shared.fileOpener().execute(() -> find(path));
      }
    } catch (SessionPlaces.FullException e) {
      refuse(e.refusal(), e.getMessage(), null);
    }
  }

  private void find(String path) {
    try {
      Fd target = shared.openTarget(path);
      loop.eventLoop().execute(() -> connect(target, null));
    } catch (RefusedException e) {
      loop.eventLoop()
          .execute(() -> refuse(Refusal.NOT_ALLOWED, e.getMessage(), e.allow(), e.errno()));
    } catch (IOException e) {
      loop.eventLoop().execute(() -> refuse(Refusal.NO_TARGET, e.getMessage(), null, errno(e)));
    }
  }

  private static int errno(IOException e) {
    return e instanceof LinuxException failed ? failed.errno() : Errno.EIO;
  }

  /** Connects on the loop, whose thread has the name that the kernel module exempts. */
  private void connect(Fd target, @Nullable Fd earlier) {
    SessionPlaces.Place held = place;
    if (over || held == null) {
      target.close();
      if (earlier != null) {
        earlier.close();
      }
      return;
    }
    Fd socket;
    try {
      socket = earlier != null ? earlier : open();
    } catch (LinuxException e) {
      target.close();
      refuse(Refusal.FAILED, e.getMessage(), null, e.errno());
      return;
    }
    int result = Reach.connect(socket, target);
    if (result == -Errno.EAGAIN) {
      loop.after(RETRY, () -> connect(target, socket));
      return;
    }
    target.close();
    if (result < 0) {
      socket.close();
      refuse(Refusal.NO_TARGET, Errno.message(-result), null, -result);
      return;
    }
    begin(socket, held);
  }

  /**
   * Connects without the detour through another thread, where no file system can be waited for.
   * False if it takes that, be it to find out what is wrong.
   */
  private boolean connectAtOnce(String path) {
    SessionPlaces.Place held = place;
    Fd target = shared.exposed().isEmpty() ? shared.reach().openSocketAtOnce(path) : null;
    if (target == null || held == null) {
      return false;
    }
    try (target) {
      Fd socket = open();
      if (Reach.connect(socket, target) == 0) {
        begin(socket, held);
        return true;
      }
      socket.close();
      return false;
    } catch (LinuxException e) {
      return false;
    }
  }

  /** Begins the session with a socket that is connected to the target. */
  private void begin(Fd socket, SessionPlaces.Place held) {
    SessionEntry entry =
        new SessionEntry(
            shared.statistics(),
            SessionInfo.Direction.INCOMING,
            String.valueOf(wanted),
            null,
            tcp,
            dialect,
            held);
    shared
        .statistics()
        .connects(SessionInfo.Direction.INCOMING)
        .record(System.nanoTime() - started);
    finish();
    answer(
        switch (dialect) {
          case V1 -> PeerRequest.CONNECTED;
          case EXTENDED -> PeerRequest.CONNECTED_EXTENDED;
        });
    Session.start(shared, loop, entry, new Link(tcp, dialect, early, tcpEof), socket, type);
  }

  private Fd open() throws LinuxException {
    Fd socket = UnixSocket.open(type, false);
    if (type == UnixSocket.Type.DGRAM) {
      // Else the target could not answer; without a name it still gets what is sent.
      int ignored = UnixSocket.bindSomewhere(socket);
    }
    return socket;
  }

  // ---- the end

  /** What follows on this connection is somebody else's to read. */
  private void finish() {
    over = true;
    shared.requestEnds(loop);
    deadline.cancel(false);
    head.release();
    tcp.pipeline().remove(this);
  }

  private void answer(int answer) {
    ByteBuf out = tcp.alloc().directBuffer(PeerRequest.ANSWER_LENGTH).writeIntLE(answer);
    tcp.writeAndFlush(out);
  }

  /** Says no to the peer. */
  private void refuse(Refusal refusal, @Nullable String detail, @Nullable String allow) {
    refuse(refusal, detail, allow, Errno.ECONNREFUSED);
  }

  /** Says no to a peer that may understand why. */
  private void refuse(Refusal refusal, @Nullable String detail, @Nullable String allow, int errno) {
    if (over) {
      return;
    }
    shared
        .audit()
        .refusedToPeer(
            String.valueOf(wanted),
            SessionEntry.text(tcp.remoteAddress()),
            null,
            refusal,
            String.valueOf(detail),
            allow);
    release();
    ByteBuf out = tcp.alloc().directBuffer(PeerRequest.ANSWER_LENGTH);
    tcp.writeAndFlush(out.writeIntLE(refusal(errno))).addListener(ChannelFutureListener.CLOSE);
  }

  private int refusal(int errno) {
    return switch (dialect) {
      case V1 -> PeerRequest.REFUSED;
      // -1 is everybody's refusal, and would not be read as this one.
      case EXTENDED -> errno == Errno.EPERM ? -Errno.EACCES : -errno;
    };
  }

  /** Closes without a word: this is nobody who could be answered. */
  private void drop(Refusal refusal, String detail) {
    if (over) {
      return;
    }
    shared.audit().dropped(SessionEntry.text(tcp.remoteAddress()), refusal, detail);
    release();
    tcp.close();
  }

  private void release() {
    over = true;
    if (place != null) {
      place.free();
    }
    shared.requestEnds(loop);
    deadline.cancel(false);
    head.release();
    early.forEach(ByteBuf::release);
    early.clear();
  }
}
