package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Queue;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.Log;
import qtfs.linux.MessageIo;
import qtfs.linux.UnixSocket;

/**
 * One application's connection, relayed: a unix socket here, a channel to the peer's proxy there.
 *
 * <p>What the unix socket gives is framed and sent; what the peer sends is unframed and written.
 * Each direction stops reading while the other side does not take, so that a connection holds at
 * most a few hundred KiB. Each direction ends by itself: the end of the one is passed on as the end
 * of a stream and the other goes on, until both have ended or one side is gone altogether. Owns the
 * socket and the channel. All on the loop's thread.
 */
final class Session extends ChannelInboundHandlerAdapter implements Relay, FdWatch.Listener {
  /** How often in a row one connection may read before the others of its loop get their turn. */
  private static final int READS_PER_TURN = 8;

  private final Shared shared;
  private final ProxyLoop loop;
  private final String name;
  private final Channel tcp;
  private final Fd unix;
  private final FdSender fdSender;
  private final FrameReader frames = new FrameReader();
  private final FdWatch watch;
  private final long started = System.nanoTime();

  // From the unix socket to the peer.
  private boolean unixReadable;
  private boolean unixEnded; // seen that nothing comes after what is there
  private boolean unixEof; // read to its end
  private boolean unixHungUp;
  private boolean outputEnding;
  private boolean outputDone; // all handed to the kernel, and its end
  private long bytesOut;

  // From the peer to the unix socket.
  private final Queue<ByteBuf> inbound = new ArrayDeque<>();
  private final List<Fd> pendingFds = new ArrayList<>();
  private boolean unixFull;
  private boolean fdsAlone; // a message has ended that has descriptors and no payload
  private boolean openingFile;
  private boolean discarding; // nobody takes what the peer sends
  private long discardUntil; // System.nanoTime()
  private boolean tcpEof;
  private boolean tcpGone;
  private boolean inputDone; // all written to the unix socket, and its end
  private long bytesIn;

  private long fdsPassed;
  private String ending = "closed";
  private boolean closed;

  private Session(
      Shared shared, ProxyLoop loop, String name, Channel tcp, Fd unix, Collection<ByteBuf> early) {
    this.shared = shared;
    this.loop = loop;
    this.name = name;
    this.tcp = tcp;
    this.unix = unix;
    this.fdSender = new FdSender(shared, loop, name);
    inbound.addAll(early);
    this.watch = FdWatch.start(loop.eventLoop(), unix.number(), this);
  }

  /**
   * Begins to relay, taking everything over.
   *
   * @param name for the log
   * @param unix does not block
   * @param early what the peer has already sent
   * @param tcpEof whether the peer has already ended its stream
   */
  static void start(
      Shared shared,
      ProxyLoop loop,
      String name,
      Channel tcp,
      Fd unix,
      Collection<ByteBuf> early,
      boolean tcpEof) {
    Session session = new Session(shared, loop, name, tcp, unix, early);
    shared.relays().add(session);
    session.tcpEof = tcpEof;
    session.tcpGone = !tcp.isActive();
    tcp.pipeline().addLast(session);
    session.writeUnix();
  }

  @Override
  public ProxyLoop loop() {
    return loop;
  }

  // ---- unix socket to peer

  @Override
  public void ready(boolean readable, boolean writable, boolean ended, boolean hungUp) {
    unixEnded |= ended;
    unixHungUp |= hungUp;
    if (writable && unixFull) {
      unixFull = false;
      watch.wantWritable(false);
      writeUnix();
    }
    if (readable) {
      unixReadable = true;
      readUnix();
    }
    closeIfDone();
  }

  private void readUnix() {
    boolean wrote = false;
    for (int i = 0; mayReadUnix(); i++) {
      if (i == READS_PER_TURN) {
        loop.eventLoop().execute(this::readUnix);
        break;
      }
      int received = loop.receive(unix);
      if (received == -Errno.EAGAIN) {
        unixReadable = false;
      } else if (received <= 0) {
        unixEof = true;
        ending = received == 0 ? ending : "the application: " + Errno.message(-received);
      } else {
        forward(received);
        wrote = true;
      }
    }
    if (unixEof && !outputEnding) {
      endOutput();
    } else if (wrote) {
      tcp.flush();
    }
  }

  private boolean mayReadUnix() {
    return unixReadable && !unixEof && !closed && !tcpGone && tcp.isWritable();
  }

  private void forward(int received) {
    List<Fd> fds = loop.messages().takeFds();
    if (loop.messages().fdsWereDropped()) {
      Log.error(name + ": descriptors were lost, because this process has too many open files");
    }
    if (!fds.isEmpty()) {
      fdsPassed += fds.size();
      ByteBuf announcement = tcp.alloc().directBuffer(256);
      fdSender.encode(fds, announcement);
      tcp.write(announcement);
    }
    tcp.write(loop.takeFrames(received));
    bytesOut += received;
    // A short read has emptied the socket, unless it stopped at descriptors or there is an end to
    // read; the next bytes come with an event of their own.
    unixReadable = received == ProxyLoop.READ_SIZE || !fds.isEmpty() || unixEnded;
  }

  /** Passes the end of the application's stream on, after all that came before it. */
  private void endOutput() {
    outputEnding = true;
    tcp.writeAndFlush(Unpooled.EMPTY_BUFFER)
        .addListener(
            flushed -> {
              if (flushed.isSuccess() && !closed) {
                ((DuplexChannel) tcp).shutdownOutput();
                outputDone = true;
                closeIfDone();
              }
            });
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    readUnix();
  }

  // ---- peer to unix socket

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    inbound.add((ByteBuf) message);
    writeUnix();
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof ChannelInputShutdownEvent) {
      tcpEof = true;
      writeUnix();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    tcpGone = true;
    writeUnix();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    ending = "the link failed: " + cause.getMessage();
    ctx.close();
  }

  /** Writes as much as the application takes, and lets the peer send on if that was all. */
  private void writeUnix() {
    if (closed || unixFull || openingFile) {
      return;
    }
    try {
      while (!inbound.isEmpty()) {
        ByteBuf head = inbound.element();
        if (discarding) {
          if (System.nanoTime() - discardUntil > 0) {
            fail("the application is gone");
            return;
          }
        } else if (!writeFrom(head)) {
          tcp.config().setAutoRead(false);
          return;
        }
        inbound.remove().release();
      }
    } catch (ProtocolException e) {
      shared.statistics().protocolError();
      fail("the peer broke the protocol: " + e.getMessage());
      return;
    }
    if (tcpEof || tcpGone) {
      endInput();
    } else {
      tcp.config().setAutoRead(true);
    }
    closeIfDone();
  }

  /** Returns whether the buffer has been used up. */
  private boolean writeFrom(ByteBuf in) throws ProtocolException {
    while (true) {
      if (fdsAlone && !sendFdsAlone()) {
        return discarding && skipAll(in);
      }
      switch (frames.next(in)) {
        case NEED_MORE -> {
          return true;
        }
        case PAYLOAD -> {
          if (!sendPayload(in)) {
            return discarding && skipAll(in);
          }
        }
        case END -> fdsAlone = !pendingFds.isEmpty();
        case PASSED -> {
          openingFile = true;
          receiveFd(frames.passed());
          if (openingFile) {
            return false;
          }
        }
      }
    }
  }

  private static boolean skipAll(ByteBuf in) {
    in.skipBytes(in.readableBytes());
    return true;
  }

  /**
   * Writes the payload at the front of a buffer, and with it that of the messages behind it, as far
   * as they are there: the frames' headers fall between the pieces.
   */
  private boolean sendPayload(ByteBuf in) throws ProtocolException {
    MessageIo messages = loop.messages();
    int at = in.readerIndex();
    int length = Math.min(frames.payloadLeft(), in.readableBytes());
    messages.piece(0, ProxyLoop.address(in, at), length);
    int pieces = 1;
    at += length;
    boolean wholeFrame = length == frames.payloadLeft();
    // Descriptors go with the message that they came with, alone.
    while (wholeFrame && pendingFds.isEmpty() && pieces < MessageIo.MAX_IOVECS) {
      if (in.writerIndex() - at < Frame.HEADER_LENGTH) {
        break;
      }
      int msgtype = in.getIntLE(at);
      int msglen = in.getIntLE(at + 4);
      if (msgtype == Frame.END && msglen == 0) {
        at += Frame.HEADER_LENGTH;
        continue;
      }
      int available = Math.min(msglen, in.writerIndex() - at - Frame.HEADER_LENGTH);
      if (msgtype != Frame.NORMAL || msglen > Frame.MAX_PAYLOAD || available <= 0) {
        break;
      }
      at += Frame.HEADER_LENGTH;
      messages.piece(pieces++, ProxyLoop.address(in, at), available);
      at += available;
      wholeFrame = available == msglen;
    }
    int sent = loop.send(unix, pieces, pendingFds);
    if (!accepted(sent)) {
      return false;
    }
    takeSent(in, sent);
    return true;
  }

  /** Moves past payload that has been sent, and the headers between. */
  private void takeSent(ByteBuf in, int sent) throws ProtocolException {
    bytesIn += sent;
    for (int left = sent; left > 0; ) {
      if (frames.payloadLeft() == 0) {
        // Looked at before: a NORMAL or an END, whole.
        frames.next(in);
        continue;
      }
      int taken = Math.min(left, frames.payloadLeft());
      frames.takePayload(in, taken);
      left -= taken;
    }
  }

  /** Descriptors need a byte to travel with, and a C daemon may have dropped theirs. */
  private boolean sendFdsAlone() {
    ByteBuf nul = tcp.alloc().directBuffer(1).writeByte(0);
    loop.messages().piece(0, ProxyLoop.address(nul, 0), 1);
    boolean sent = accepted(loop.send(unix, 1, pendingFds));
    nul.release();
    fdsAlone = !sent && unixFull;
    return sent;
  }

  /** Judges the result of a send; descriptors that were sent are closed here. */
  private boolean accepted(int sent) {
    if (sent > 0) {
      fdsPassed += pendingFds.size();
      dropPendingFds();
      return true;
    }
    if (sent == -Errno.EAGAIN) {
      unixFull = true;
      watch.wantWritable(true);
    } else if (sent == -Errno.EPIPE || sent == -Errno.ECONNRESET) {
      discard();
    } else {
      fail("cannot write to the application: " + Errno.message(-sent));
    }
    return false;
  }

  private void dropPendingFds() {
    Fd.closeAll(pendingFds);
    pendingFds.clear();
  }

  private void receiveFd(Frame.Passed passed) throws ProtocolException {
    if (pendingFds.size() == MessageIo.MAX_FDS) {
      throw new ProtocolException("more than " + MessageIo.MAX_FDS + " descriptors in a message");
    }
    switch (passed) {
      case Frame.ScmPipe pipe -> {
        openingFile = false;
        receivePipe(pipe);
      }
      case Frame.ScmRights file -> shared.fileOpener().execute(() -> openFile(file));
    }
  }

  private void receivePipe(Frame.ScmPipe pipe) {
    try {
      pendingFds.add(PipeRelay.fetch(shared, loop, name, pipe));
    } catch (IOException e) {
      Log.warn(name + ": a passed pipe cannot be taken: " + e.getMessage());
    }
  }

  /** On a thread of its own, because a file system may hang; the session waits, nobody else. */
  private void openFile(Frame.ScmRights file) {
    Fd opened = null;
    try {
      opened = shared.reach().openFile(file);
    } catch (IOException e) {
      shared.statistics().refused();
      Log.warn(name + ": a passed file stays behind: " + e.getMessage());
    }
    Fd result = opened;
    loop.eventLoop()
        .execute(
            () -> {
              openingFile = false;
              if (result != null && closed) {
                result.close();
              } else if (result != null) {
                pendingFds.add(result);
              }
              writeUnix();
            });
  }

  /** Passes the end of the peer's stream on, after all that came before it. */
  private void endInput() {
    if (!inputDone) {
      inputDone = true;
      UnixSocket.shutdownWrite(unix);
    }
  }

  // ---- the end

  private void closeIfDone() {
    if (closed) {
      return;
    }
    if (inputDone && (tcpGone || outputDone)) {
      close();
    } else if (unixHungUp && unixEof && !discarding) {
      discard();
      writeUnix();
    }
  }

  /**
   * The application takes nothing any more. What it has sent the peer has yet to read, and closing
   * while the peer's own bytes are unread would reset the connection and destroy that: so they are
   * read and dropped for a while. Whoever sends to the dead even after that is cut off.
   */
  private void discard() {
    if (!discarding) {
      discarding = true;
      discardUntil = System.nanoTime() + shared.deadlines().handshake().toNanos();
      dropPendingFds();
    }
  }

  private void fail(String reason) {
    ending = reason;
    close();
  }

  @Override
  public void abort() {
    fail("the proxy is stopping");
  }

  private void close() {
    if (closed) {
      return;
    }
    closed = true;
    shared.relays().remove(this);
    watch.cancel();
    unix.close();
    dropPendingFds();
    inbound.forEach(ByteBuf::release);
    inbound.clear();
    tcp.close();
    Log.info(
        String.format(
            "%s ended after %.3f s: %s; %d bytes to the peer, %d from it, %d descriptors",
            name, (System.nanoTime() - started) / 1e9, ending, bytesOut, bytesIn, fdsPassed));
  }
}
