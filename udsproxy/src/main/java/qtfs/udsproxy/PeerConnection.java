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
import qtfs.linux.Log;
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
  private @Nullable String wanted;
  private Dialect dialect = Dialect.V1;
  private UnixSocket.Type type = UnixSocket.Type.STREAM;

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
                refuse("it does not accept in time", Errno.ETIMEDOUT);
              } else {
                drop("no complete request in time");
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
      } else {
        ctx.read();
      }
    } catch (RefusedException e) {
      shared.statistics().refused();
      drop(String.valueOf(e.getMessage()));
    } catch (IOException e) {
      shared.statistics().protocolError();
      drop("garbage: " + e.getMessage());
    } finally {
      in.release();
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof ChannelInputShutdownEvent) {
      tcpEof = true;
      if (!decoded) {
        drop("closed before a request was complete");
      }
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    drop("closed");
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    drop("the link failed: " + cause.getMessage());
  }

  private void serve(PeerRequest request) throws IOException {
    switch (request) {
      case PeerRequest.Pipe(PipeEnd end, int token) -> servePipe(end, token);
      case PeerRequest.Uds(ConnectRequest target, Dialect offered) -> {
        wanted = target.path();
        type = target.type();
        dialect = shared.dialect() == Dialect.EXTENDED ? offered : Dialect.V1;
        if (shared.isDraining()) {
          refuse("this proxy is about to end", Errno.ECONNREFUSED);
        } else {
          shared.fileOpener().execute(() -> find(target.path()));
        }
      }
    }
  }

  private void servePipe(PipeEnd end, int token) throws IOException {
    PassedPipes.Kept kept = shared.passedPipes().take(end, token);
    Fd ours = PipeRelay.reopen(end, kept.fd());
    finish();
    PipeRelay.serve(shared, loop, tcp, end, ours, early, kept.owner());
  }

  // ---- the target

  private void find(String path) {
    try {
      Fd target = shared.reach().openSocket(path);
      loop.eventLoop().execute(() -> connect(target, null));
    } catch (IOException e) {
      loop.eventLoop().execute(() -> refuse(e.getMessage(), errno(e)));
    }
  }

  private static int errno(IOException e) {
    return switch (e) {
      case LinuxException failed -> failed.errno();
      case RefusedException refused -> refused.errno();
      default -> Errno.EIO;
    };
  }

  /** Connects on the loop, whose thread has the name that the kernel module exempts. */
  private void connect(Fd target, @Nullable Fd earlier) {
    if (over) {
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
      refuse(e.getMessage(), e.errno());
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
      refuse(Errno.message(-result), -result);
      return;
    }
    SessionEntry entry =
        new SessionEntry(
            shared.statistics(),
            SessionInfo.Direction.INCOMING,
            String.valueOf(wanted),
            null,
            tcp,
            dialect);
    Log.info(entry.name() + ": the peer is connected to " + wanted);
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
  private void refuse(@Nullable String reason, int errno) {
    if (over) {
      return;
    }
    shared.statistics().refused();
    Log.warn("refused to the peer: " + wanted + ": " + reason);
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
  private void drop(String reason) {
    if (over) {
      return;
    }
    Log.warn("connection of " + tcp.remoteAddress() + " dropped: " + reason);
    release();
    tcp.close();
  }

  private void release() {
    over = true;
    shared.requestEnds(loop);
    deadline.cancel(false);
    head.release();
    early.forEach(ByteBuf::release);
    early.clear();
  }
}
