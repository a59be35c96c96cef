package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.socket.DuplexChannel;
import java.util.List;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.Log;
import qtfs.linux.UnixSocket;

/**
 * The direction of a session from the application to the peer: what the unix socket gives is framed
 * and sent. Stops reading while the channel holds more than its high water mark. On the loop's
 * thread; owns no more than the {@link FdSender} does.
 */
final class ToPeer {
  /** How often in a row one connection may read before the others of its loop get their turn. */
  private static final int READS_PER_TURN = 8;

  /**
   * How many bytes of payload end a turn: they go on while they are in the processor's cache, and
   * the peer has them while the next are read.
   */
  private static final int BYTES_PER_TURN = 64 * 1024;

  private static final int CONTROL_SIZE = 32;

  private final Session session;
  private final ProxyLoop loop;
  private final Channel tcp;
  private final Dialect dialect;
  private final Fd unix;
  private final UnixSocket.Type type;
  private final FdSender fdSender;
  private final Backlog backlog;
  private final Backlog.Share held;
  private int asked; // bytes, of the last read
  private boolean readable;
  private boolean ending; // nothing comes after what is there
  private boolean atEnd; // read to the end
  private int errno; // instead of an end
  private boolean endSent;
  private boolean goneSent;
  private boolean done;

  ToPeer(Session session, Shared shared, ProxyLoop loop, Link link, Fd unix, UnixSocket.Type type) {
    this.session = session;
    this.loop = loop;
    this.tcp = link.tcp();
    this.dialect = link.dialect();
    this.unix = unix;
    this.type = type;
    this.backlog = shared.backlog();
    this.held = backlog.share(loop, this::pump);
    this.fdSender = new FdSender(shared, loop, session, link, held, this::pump);
  }

  /**
   * The unix socket has become readable.
   *
   * @param ended whether the application has ended its stream, or is gone
   */
  void readable(boolean ended) {
    readable = true;
    ending |= ended;
    pump();
  }

  /** Reads and sends as much as the channel takes: nothing, once it is closed. */
  void pump() {
    if (session.isClosed()) {
      return;
    }
    int sent = 0;
    boolean wrote = false;
    if (fdSender.isBusy() && tcp.isWritable()) {
      fdSender.writable();
    }
    for (int i = 0; canRead(); i++) {
      if (i == READS_PER_TURN || sent >= BYTES_PER_TURN) {
        loop.eventLoop().execute(this::pump);
        break;
      }
      int received = receive();
      if (received > 0 || (received == 0 && isEmptyMessage())) {
        forward(received);
        sent += received;
        wrote = true;
      } else if (received == -Errno.EAGAIN) {
        readable = false;
      } else if (received == -Errno.ECONNRESET && hasMessages() && errno == 0) {
        errno = -received; // told ahead of the messages that are still there
      } else {
        atEnd = true;
        if (received < 0) {
          errno = -received;
          session.because("the application: " + Errno.message(-received));
        }
      }
    }
    if (atEnd && !endSent) {
      sendEnd();
    } else if (wrote) {
      tcp.flush();
    }
  }

  private boolean canRead() {
    return readable
        && !atEnd
        && !fdSender.isBusy()
        && !session.isClosed()
        && tcp.isWritable()
        && held.mayRead(hasMessages());
  }

  private boolean hasMessages() {
    return type != UnixSocket.Type.STREAM;
  }

  private int receive() {
    if (hasMessages()) {
      return loop.receiveMessage(unix);
    }
    boolean little = backlog.isScarce();
    asked = little ? ProxyLoop.LITTLE : dialect.readSize();
    return little ? loop.receiveLittle(unix, dialect) : loop.receive(unix, dialect);
  }

  private boolean isEmptyMessage() {
    return switch (type) {
      case STREAM -> false;
      case SEQPACKET -> loop.messages().wasMessage();
      case DGRAM -> true;
    };
  }

  private void forward(int received) {
    boolean tooLong = hasMessages() && isTooLong(received);
    List<Fd> passed = loop.messages().takeFds();
    if (loop.messages().fdsWereDropped()) {
      Log.error(
          session.name() + ": descriptors were lost, because this process has too many open files");
    }
    if (tooLong) {
      Fd.closeAll(passed);
      session.fail(
          "a message of more than "
              + dialect.maxPayload()
              + " bytes, the most that "
              + dialect.word()
              + " carries");
      return;
    }
    session.entry().toPeer(received);
    ByteBuf payload =
        hasMessages() ? loop.takeMessage(received, dialect) : loop.takeFrames(received, dialect);
    if (passed.isEmpty()) {
      held.write(tcp, payload);
    } else {
      fdSender.send(passed, payload);
    }
    if (hasMessages()) {
      return;
    }
    // A short read has emptied the socket, unless it stopped at descriptors or there is an end to
    // read; the next bytes come with an event of their own.
    readable = received == asked || !passed.isEmpty() || ending;
  }

  private boolean isTooLong(int received) {
    return received > dialect.maxPayload() || loop.messages().wasTruncated();
  }

  /** Passes the end of the application's stream on, after all that came before it. */
  private void sendEnd() {
    endSent = true;
    switch (dialect) {
      case V1 ->
          tcp.writeAndFlush(Unpooled.EMPTY_BUFFER)
              .addListener(
                  flushed -> {
                    if (flushed.isSuccess() && !session.isClosed()) {
                      ((DuplexChannel) tcp).shutdownOutput();
                      finish();
                    }
                  });
      case EXTENDED -> {
        if (errno != 0 || session.isApplicationGone()) {
          sendGone();
        } else {
          send(new Frame.Eof());
        }
      }
    }
  }

  /**
   * Tells the peer that the application has closed its socket, if the dialect can; after all that
   * it has sent. Needed behind its end too: there its server may still be about to answer.
   */
  void sendGone() {
    if (dialect == Dialect.EXTENDED && !goneSent) {
      goneSent = true;
      send(new Frame.Gone(errno == 0 ? pendingError() : errno));
    }
  }

  private int pendingError() {
    try {
      return UnixSocket.takeError(unix);
    } catch (LinuxException none) {
      return 0;
    }
  }

  private void send(Frame.Control frame) {
    ByteBuf out = tcp.alloc().directBuffer(CONTROL_SIZE);
    frame.encode(out);
    tcp.writeAndFlush(out)
        .addListener(
            flushed -> {
              if (flushed.isSuccess() && !session.isClosed()) {
                finish();
              }
            });
  }

  private void finish() {
    done = true;
    session.closeIfDone();
  }

  /** Lets go of what is being sent, when the session has been closed. */
  void release() {
    fdSender.release();
  }

  /** Whether the application's stream has been read to its end. */
  boolean isAtEnd() {
    return atEnd;
  }

  /** Whether the kernel has everything, and the end. */
  boolean isDone() {
    return done;
  }
}
