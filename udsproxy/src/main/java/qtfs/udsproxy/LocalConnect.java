package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.concurrent.ScheduledFuture;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
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
 * An application's wish to be connected to a socket of the other host, from its request on {@code
 * remote_uds.sock} to the session:
 *
 * <pre>
 * READING    112 bytes from the application's connector
 * CONNECTING to the peer's proxy
 * ASKING     the request is sent, its answer awaited
 * WAITING    the stand-in socket listens, the connector has been told, the application may connect
 * </pre>
 *
 * Every step has a deadline; a connector that hangs up ends it before the stand-in listens. All on
 * the loop's thread, but for what the stand-ins call.
 */
final class LocalConnect extends ChannelInboundHandlerAdapter
    implements FdWatch.Listener, StandIns.Waiting {
  private static final int READY = 1;
  private static final int FAILED = 0;

  private final Shared shared;
  private final ProxyLoop loop;
  private final Fd connector;
  private final UnixSocket.Credentials who;
  private final FdWatch watch;
  private final byte[] request = new byte[ConnectRequest.LENGTH];
  private int received;
  private @Nullable String path;
  private @Nullable Channel tcp;
  private final Queue<ByteBuf> early = new ArrayDeque<>();
  private boolean tcpEof;
  private boolean answered; // by the peer
  private boolean over;
  private ScheduledFuture<?> deadline;

  private LocalConnect(Shared shared, ProxyLoop loop, Fd connector) throws LinuxException {
    this.shared = shared;
    this.loop = loop;
    this.connector = connector;
    this.who = UnixSocket.peerCredentials(connector);
    this.watch = FdWatch.start(loop.eventLoop(), connector.number(), this);
    this.deadline = inTime("the request is not complete");
    shared.requestBegins();
  }

  /**
   * Begins to serve a connector.
   *
   * @param connector does not block; taken over
   */
  static void start(Shared shared, ProxyLoop loop, Fd connector) {
    loop.eventLoop()
        .execute(
            () -> {
              try {
                LocalConnect _ = new LocalConnect(shared, loop, connector);
              } catch (LinuxException e) {
                connector.close();
                Log.error("cannot serve a connector: " + e.getMessage());
              }
            });
  }

  private ScheduledFuture<?> inTime(String complaint) {
    return loop.after(shared.deadlines().handshake(), () -> fail(complaint + " in time"));
  }

  private void nextStep(String complaint) {
    deadline.cancel(false);
    deadline = inTime(complaint);
  }

  // ---- READING

  @Override
  public void ready(boolean readable, boolean writable, boolean ended, boolean hungUp) {
    while (!over) {
      int n = read();
      if (n == -Errno.EAGAIN) {
        return;
      }
      if (n <= 0) {
        fail(path == null ? "the request ends after " + received + " bytes" : "the connector left");
        return;
      }
    }
  }

  /** Reads more of the request; anything behind it is none of ours and is dropped. */
  private int read() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(ConnectRequest.LENGTH);
      int wanted = path == null ? ConnectRequest.LENGTH - received : ConnectRequest.LENGTH;
      int n = (int) connector.read(buffer, wanted);
      if (n > 0 && path == null) {
        MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, request, received, n);
        received += n;
        if (received == ConnectRequest.LENGTH) {
          requested();
        }
      }
      return n;
    }
  }

  private void requested() {
    try {
      ConnectRequest decoded = ConnectRequest.decode(request);
      path = decoded.path();
      if (decoded.type() != UnixSocket.Type.STREAM) {
        fail(decoded.type() + " sockets are not carried, only STREAM");
        return;
      }
      nextStep("the peer cannot be reached");
      shared
          .connectToPeer(loop, this)
          .addListener((ChannelFutureListener) future -> connected(future, decoded));
    } catch (IOException e) {
      fail("bad request: " + e.getMessage());
    }
  }

  // ---- CONNECTING, ASKING

  private void connected(ChannelFuture future, ConnectRequest decoded) {
    if (!future.isSuccess()) {
      fail("the peer cannot be reached: " + future.cause().getMessage());
      return;
    }
    Channel channel = future.channel();
    if (over) {
      channel.close();
      return;
    }
    tcp = channel;
    ByteBuf out = channel.alloc().directBuffer(Frame.HEADER_LENGTH + ConnectRequest.LENGTH);
    new PeerRequest.Uds(decoded).encode(out);
    channel.writeAndFlush(out);
    nextStep("the peer does not answer");
    channel.read();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ByteBuf in = (ByteBuf) message;
    if (over) {
      in.release();
      return;
    }
    early.add(in);
    if (!answered) {
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
    answered = true;
    if (answer == PeerRequest.REFUSED) {
      fail("the peer has refused it: nothing listens there, or its whitelist does not allow it");
      return;
    }
    nextStep("the application does not come");
    shared.standIns().await(requestedPath(), this);
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof ChannelInputShutdownEvent) {
      tcpEof = true;
      peerEnded();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    tcpEof = true;
    peerEnded();
  }

  /** After its answer the peer may end at once: what it sent until then is still delivered. */
  private void peerEnded() {
    if (!answered) {
      fail("the peer has closed the connection without an answer");
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    fail("the link failed: " + cause.getMessage());
  }

  // ---- WAITING

  @Override
  public void listening() {
    onLoop(
        () -> {
          if (over) {
            shared.standIns().giveUp(requestedPath(), this);
            return;
          }
          deadline.cancel(false);
          deadline =
              loop.after(
                  shared.deadlines().pairing(),
                  () -> fail("the application does not come in time"));
          endRequest(READY);
        });
  }

  @Override
  public void failed(IOException reason) {
    onLoop(() -> fail(reason.getMessage() == null ? reason.toString() : reason.getMessage()));
  }

  @Override
  public void pair(Fd application) {
    onLoop(
        () -> {
          Channel channel = tcp;
          if (over || channel == null) {
            application.close();
            return;
          }
          over = true;
          shared.requestEnds(loop);
          deadline.cancel(false);
          channel.pipeline().remove(this);
          String name = "session " + shared.statistics().nextSession();
          Log.info(
              name
                  + ": "
                  + requestedPath()
                  + " of the peer, for pid "
                  + who.pid()
                  + " uid "
                  + who.uid());
          Session.start(shared, loop, name, channel, application, early, tcpEof);
        });
  }

  private void onLoop(Runnable task) {
    if (loop.eventLoop().inEventLoop()) {
      task.run();
    } else {
      loop.eventLoop().execute(task);
    }
  }

  private String requestedPath() {
    return path == null ? "?" : path;
  }

  // ---- the end

  private void fail(String reason) {
    if (over) {
      return;
    }
    over = true;
    shared.requestEnds(loop);
    deadline.cancel(false);
    Log.warn(
        "not connected to "
            + requestedPath()
            + " for pid "
            + who.pid()
            + " uid "
            + who.uid()
            + ": "
            + reason);
    if (connector.isOpen()) {
      if (received == ConnectRequest.LENGTH) {
        endRequest(FAILED);
      } else {
        closeConnector();
      }
    }
    if (answered) {
      shared.standIns().giveUp(requestedPath(), this);
    }
    early.forEach(ByteBuf::release);
    early.clear();
    if (tcp != null) {
      tcp.close();
    }
  }

  /** Answers the connector and lets it go; a fresh socket takes 4 bytes at once. */
  private void endRequest(int answer) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(4, 4);
      bytes.set(ValueLayout.JAVA_INT, 0, answer);
      connector.write(bytes, 4);
    }
    closeConnector();
  }

  private void closeConnector() {
    watch.cancel();
    connector.close();
  }
}
