package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.MessageIo;
import qtfs.linux.UnixSocket;

/**
 * The direction of a session from the peer to the application: what the peer sends is unframed and
 * written to the unix socket. Lets the peer send on only when everything has been written, so that
 * at most one read of the channel waits here. Owns the buffers and descriptors that wait. On the
 * loop's thread.
 */
final class FromPeer {
  private final Session session;
  private final Shared shared;
  private final ProxyLoop loop;
  private final Channel tcp;
  private final Fd unix;
  private final UnixSocket.Type type;
  private final FdWatch watch;
  private final Dialect dialect;
  private final FrameReader frames;
  private final Queue<ByteBuf> inbound = new ArrayDeque<>();
  private final FdReceiver received;
  private final Backlog.Share held;
  private final LostReceiver receiver;
  private boolean unixFull;
  private @Nullable ByteBuf message; // of a socket with message boundaries, being gathered
  private boolean messageIsWhole;
  private boolean fdsAlone; // a message has ended that has descriptors and no payload
  private boolean ended;
  private boolean discarding;
  private long discardUntil; // System.nanoTime()
  private boolean done;

  FromPeer(
      Session session,
      Shared shared,
      ProxyLoop loop,
      Link link,
      Fd unix,
      UnixSocket.Type type,
      FdWatch watch) {
    this.session = session;
    this.shared = shared;
    this.loop = loop;
    this.tcp = link.tcp();
    this.dialect = link.dialect();
    this.frames = new FrameReader(dialect);
    link.early().forEach(this::add);
    this.unix = unix;
    this.type = type;
    this.watch = watch;
    this.received = new FdReceiver(session, shared, loop, this::pump);
    this.receiver = new LostReceiver(session, shared, loop, unix, this::pump);
    this.held = shared.backlog().share(loop, this::pump);
  }

  /** Takes a buffer over, to be written by {@link #pump}. */
  void add(ByteBuf buffer) {
    inbound.add(buffer);
  }

  /** Nothing comes after what has been added. */
  void end() {
    ended = true;
  }

  /** The unix socket has room again. */
  void writable() {
    if (unixFull) {
      unixFull = false;
      watch.wantWritable(false);
      pump();
    }
  }

  /** Writes as much as the application takes, and lets the peer send on if that was all. */
  void pump() {
    if (session.isClosed() || unixFull || received.isOpening() || receiver.isSought()) {
      return;
    }
    try {
      while (!inbound.isEmpty()) {
        if (!use(inbound.element())) {
          tcp.config().setAutoRead(false);
          tellWaiting();
          return;
        }
        inbound.remove().release();
      }
    } catch (ProtocolException e) {
      shared.statistics().protocolError();
      session.fail("the peer broke the protocol: " + e.getMessage());
      return;
    }
    tellWaiting();
    tcp.config().setAutoRead(!ended);
    if (ended) {
      linkEnded();
    }
    session.closeIfDone();
  }

  /** The link has ended after all that was delivered: in v1 it is how the application's ends. */
  private void linkEnded() {
    switch (dialect) {
      case V1 -> finish();
      case EXTENDED -> {
        if (discarding) {
          finish();
        } else {
          session.fail("the link was lost");
        }
      }
    }
  }

  private void finish() {
    if (!done) {
      done = true;
      if (!discarding) { // else nobody is there
        UnixSocket.shutdownWrite(unix);
      }
    }
  }

  /** Returns whether the buffer has been used up. */
  private boolean use(ByteBuf in) throws ProtocolException {
    while (!discarding) {
      if ((fdsAlone && !sendFdsAlone()) || (messageIsWhole && !sendMessage())) {
        return discarding;
      }
      FrameReader.Event event = frames.next(in);
      if (done && event != FrameReader.Event.NEED_MORE && event != FrameReader.Event.CONTROL) {
        throw new ProtocolException("more behind the end");
      }
      switch (event) {
        case NEED_MORE -> {
          return true;
        }
        case PAYLOAD -> {
          if (hasMessages()) {
            if (!gather(in)) {
              return false;
            }
          } else if (!sendPayload(in)) {
            return discarding;
          }
        }
        case END -> {}
        case EMPTY -> {
          messageIsWhole = hasMessages();
          fdsAlone = !messageIsWhole && !received.fds().isEmpty();
        }
        case PASSED -> {
          received.receive(frames.passed());
          if (received.isOpening()) {
            return false;
          }
        }
        case CONTENT -> takeContent(in);
        case CONTENT_LOST -> received.contentLost();
        case CONTROL -> {
          control(frames.control());
          if (session.isClosed()) {
            return false;
          }
        }
      }
    }
    if (System.nanoTime() - discardUntil > 0) {
      session.fail("the peer sends on, but the application is gone");
      return false;
    }
    return switch (dialect) {
      case V1 -> true;
      case EXTENDED -> drop(in);
    };
  }

  /** Passes over what nobody takes any more, but for what is said of the session itself. */
  private boolean drop(ByteBuf in) throws ProtocolException {
    while (!session.isClosed()) {
      switch (frames.next(in)) {
        case NEED_MORE -> {
          return true;
        }
        case PAYLOAD, CONTENT ->
            frames.takePayload(in, Math.min(frames.payloadLeft(), in.readableBytes()));
        case CONTROL -> control(frames.control());
        case PASSED, CONTENT_LOST, EMPTY, END -> {}
      }
    }
    return false;
  }

  private void takeContent(ByteBuf in) {
    int length = Math.min(frames.payloadLeft(), in.readableBytes());
    received.content(ProxyLoop.address(in, in.readerIndex()), length);
    frames.takePayload(in, length);
  }

  private void control(Frame.Control frame) throws ProtocolException {
    switch (frame) {
      case Frame.Eof _ -> finish();
      case Frame.Gone(int errno) -> session.peerGone(errno);
      case Frame.From(Requester requester) -> session.requestedBy(requester);
    }
  }

  private boolean hasMessages() {
    return type != UnixSocket.Type.STREAM;
  }

  private void tellWaiting() {
    if (message == null) {
      held.waiting(inbound);
    } else {
      List<ByteBuf> waiting = new ArrayList<>(inbound);
      waiting.add(message);
      held.waiting(waiting);
    }
  }

  /** Takes what there is of a message, which has to be written in one piece. */
  private boolean gather(ByteBuf in) {
    ByteBuf part = message;
    if (part == null) {
      // To wait would be to wait for those who have only a part of theirs either.
      if (!held.hasRoom()) {
        shared.statistics().hit(Limit.MAX_BUFFERED_TOTAL);
        session.fail("no memory for a message: as much waits as --max-buffered-total allows");
        return false;
      }
      part = tcp.alloc().directBuffer(frames.payloadLeft(), frames.payloadLeft());
      message = part;
    }
    int length = Math.min(frames.payloadLeft(), in.readableBytes());
    part.writeBytes(in, in.readerIndex(), length);
    frames.takePayload(in, length);
    messageIsWhole = frames.payloadLeft() == 0;
    return true;
  }

  private boolean sendMessage() {
    ByteBuf whole = message == null ? Unpooled.EMPTY_BUFFER : message;
    int length = whole.readableBytes();
    if (!accepted(loop.send(unix, whole, received.fds()))) {
      return false;
    }
    session.entry().fromPeer(length);
    dropMessage();
    return true;
  }

  private void dropMessage() {
    messageIsWhole = false;
    if (message != null) {
      message.release();
      message = null;
    }
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
    // Descriptors go with the message that they came with, alone.
    if (length == frames.payloadLeft() && received.fds().isEmpty()) {
      pieces = addPayloadsBehind(in, at + length);
    }
    int sent = loop.send(unix, pieces, received.fds());
    if (!accepted(sent)) {
      return false;
    }
    takeSent(in, sent);
    return true;
  }

  /** Adds pieces for the messages from an index on, and returns how many pieces there are then. */
  private int addPayloadsBehind(ByteBuf in, int from) {
    int pieces = 1;
    int at = from;
    while (pieces < MessageIo.MAX_IOVECS && in.writerIndex() - at >= Frame.HEADER_LENGTH) {
      int msgtype = in.getIntLE(at);
      int msglen = in.getIntLE(at + 4);
      at += Frame.HEADER_LENGTH;
      if (msgtype == Frame.END && msglen == 0 && dialect == Dialect.V1) {
        continue;
      }
      int available = Math.min(msglen, in.writerIndex() - at);
      if (msgtype != dialect.payloadType() || msglen > dialect.maxPayload() || available <= 0) {
        break; // for the frame reader to judge
      }
      loop.messages().piece(pieces++, ProxyLoop.address(in, at), available);
      if (available < msglen) {
        break;
      }
      at += available;
    }
    return pieces;
  }

  /** Moves past payload that has been sent, and the headers between. */
  private void takeSent(ByteBuf in, int sent) throws ProtocolException {
    session.entry().fromPeer(sent);
    for (int left = sent; left > 0; ) {
      if (frames.payloadLeft() == 0) {
        // Looked at before: the header of a payload, or an END.
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
    boolean sent = accepted(loop.send(unix, 1, received.fds()));
    nul.release();
    fdsAlone = !sent && unixFull;
    return sent;
  }

  /** Judges the result of a send; descriptors that were sent are closed here. */
  private boolean accepted(int sent) {
    if (sent > 0 || (sent == 0 && hasMessages())) {
      received.close();
      receiver.isThere();
      return true;
    }
    if (sent == -Errno.EAGAIN) {
      unixFull = true;
      watch.wantWritable(true);
    } else if (sent == -Errno.ECONNREFUSED && receiver.seek()) {
      return false;
    } else if (sent == -Errno.EPIPE || sent == -Errno.ECONNRESET) {
      discard();
    } else {
      session.fail("cannot write to the application: " + Errno.message(-sent));
    }
    return false;
  }

  /**
   * The application takes nothing any more. What it has sent the peer has yet to read, and closing
   * while the peer's own bytes are unread would reset the connection and destroy that: so they are
   * read and dropped for a while. Whoever sends to the dead even after that is cut off.
   */
  void discard() {
    if (!discarding) {
      discarding = true;
      discardUntil = System.nanoTime() + shared.deadlines().handshake().toNanos();
      received.close();
    }
  }

  boolean isDiscarding() {
    return discarding;
  }

  /** Whether everything has been written, and the end. */
  boolean isDone() {
    return done;
  }

  /** Lets go of all that waits, when the session has been closed. */
  void release() {
    received.close();
    dropMessage();
    inbound.forEach(ByteBuf::release);
    inbound.clear();
    tellWaiting();
  }
}
