package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Errno;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.Log;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.udsproxy.connector.ConnectRequest;

/**
 * The socket {@code <path>.proxy} for datagrams, one for all who send to that path, or one that is
 * {@link Exposures exposed}. Nobody connects to it in a way that it could see: each address that
 * something comes from gets a session of its own, so that answers find it, and all senders without
 * an address share one.
 *
 * <pre>
 * senders ---> path.proxy ---> | pair of sockets, one for each address | ---> session ---> peer
 *         <---            <--- |                                       | <---         <---
 * </pre>
 *
 * A session whose sender is silent for {@link #IDLE} ends; the next datagram gets a new one. A
 * datagram that a session cannot take yet holds up all, as a full receiver on this host would. The
 * stand-in stays until the peer gives no session any more, an exposed one in any case. All on the
 * loop's thread.
 */
final class DatagramStandIn implements StandIn, FdWatch.Listener {
  /** A sender that is gone cannot be told from one that has nothing to say. */
  private static final Duration IDLE = Duration.ofMinutes(10);

  /** A full socket of a sender says EAGAIN and gives no event when there is room. */
  private static final Duration RETRY = Duration.ofMillis(5);

  private static final int READS_PER_TURN = 32;

  private final Shared shared;
  private final ProxyLoop loop;
  private final ConnectRequest request;
  private final UnixListener socket;
  private final FdWatch watch;
  private final Queue<StandIns.Waiting> waiting = new ArrayDeque<>();
  private final Map<ByteBuffer, Sender> senders = new HashMap<>();
  private final boolean lasting;
  private final Runnable newSender;
  private Requester who;
  private @Nullable Sender full;
  private volatile boolean served;
  private boolean closed;

  /**
   * Begins to receive.
   *
   * @param socket taken over
   * @param lasting whether it stays where the peer gives no session
   * @param newSender called for each address that begins to send
   */
  DatagramStandIn(
      Shared shared,
      ProxyLoop loop,
      ConnectRequest request,
      Requester who,
      UnixListener socket,
      boolean lasting,
      Runnable newSender) {
    this.shared = shared;
    this.loop = loop;
    this.request = request;
    this.who = who;
    this.socket = socket;
    this.lasting = lasting;
    this.newSender = newSender;
    this.watch = FdWatch.start(loop.eventLoop(), socket.number(), this);
  }

  @Override
  public UnixSocket.Type type() {
    return UnixSocket.Type.DGRAM;
  }

  @Override
  public boolean isThere() {
    return !closed && socket.isBound();
  }

  /** Whether a sender without an address finds a session here already. For any thread. */
  boolean isServed() {
    return served && socket.isBound();
  }

  @Override
  public void await(StandIns.Waiting connection, Requester asking) {
    who = asking;
    waiting.add(connection);
  }

  @Override
  public boolean giveUp(StandIns.Waiting connection) {
    return waiting.remove(connection);
  }

  @Override
  public Queue<StandIns.Waiting> waiting() {
    return waiting;
  }

  // ---- from the senders

  @Override
  public void ready(boolean readable, boolean writable, boolean ended, boolean hungUp) {
    receive();
  }

  private void receive() {
    for (int i = 0; !closed && full == null; i++) {
      if (i == READS_PER_TURN) {
        loop.eventLoop().execute(this::receive);
        return;
      }
      int length = loop.receiveDatagram(socket.socket());
      if (length < 0) {
        return;
      }
      List<Fd> fds = loop.messages().takeFds();
      if (loop.messages().wasTruncated()) {
        Fd.closeAll(fds);
        Log.warn(request.path() + ": a datagram of more than 65536 bytes is dropped");
      } else {
        pass(loop.messages().sender(), loop.takeBytes(length), fds);
      }
    }
  }

  private void pass(byte[] address, ByteBuf datagram, List<Fd> fds) {
    try {
      Sender sender = senders.get(ByteBuffer.wrap(address));
      (sender == null ? newSender(address) : sender).pass(datagram, fds);
    } catch (LinuxException e) {
      datagram.release();
      Fd.closeAll(fds);
      Log.error(request.path() + ": a datagram is dropped: " + e.getMessage());
    }
  }

  private Sender newSender(byte[] address) throws LinuxException {
    UnixSocket.Pair pair = UnixSocket.pair(UnixSocket.Type.SEQPACKET);
    try {
      Fcntl.statusFlags(pair.first(), Fd.O_RDWR | Fd.O_NONBLOCK);
      Fcntl.statusFlags(pair.second(), Fd.O_RDWR | Fd.O_NONBLOCK);
    } catch (LinuxException e) {
      pair.close();
      throw e;
    }
    Sender sender = new Sender(address, pair.first());
    senders.put(ByteBuffer.wrap(address), sender);
    newSender.run();
    served |= address.length == 0;
    StandIns.Waiting connection = waiting.poll();
    if (connection == null) {
      new Asking(pair.second()).start();
    } else {
      connection.pair(pair.second());
    }
    return sender;
  }

  /** The asking for one more session of the peer; datagrams wait in the pair of sockets. */
  private final class Asking implements PeerRequestor.Listener {
    private final Fd application;
    private @Nullable PeerRequestor requestor;

    Asking(Fd application) {
      this.application = application;
    }

    void start() {
      requestor = PeerRequestor.start(shared, loop, request, this);
    }

    @Override
    public void connected() {
      if (requestor != null) {
        requestor.startSession(who, application);
      }
    }

    @Override
    public void failed(Refusal refusal, String detail) {
      application.close();
      shared.audit().refused(request.path(), who, refusal, "datagrams are lost: " + detail);
      if (!lasting) {
        DatagramStandIn.this.close(); // so that whoever sends is told
      }
    }
  }

  // ---- one sender

  /** An address that datagrams come from, with its end of the pair of sockets. */
  private final class Sender implements FdWatch.Listener {
    private final byte[] address;
    private final Fd end;
    private final FdWatch endWatch;
    private @Nullable ByteBuf held; // that the session has no room for
    private List<Fd> heldFds = List.of();
    private @Nullable ByteBuf reply; // that the sender has no room for
    private List<Fd> replyFds = List.of();
    private final IdleTimer idleTimer = new IdleTimer(loop, IDLE, this::close);
    private boolean over;

    Sender(byte[] address, Fd end) {
      this.address = address;
      this.end = end;
      this.endWatch = FdWatch.start(loop.eventLoop(), end.number(), this);
      UnixSocket.stampMessages(end);
      idleTimer.used();
    }

    void pass(ByteBuf datagram, List<Fd> fds) {
      idleTimer.used();
      held = datagram;
      heldFds = fds;
      passHeld();
    }

    private void passHeld() {
      ByteBuf datagram = held;
      if (datagram == null) {
        return;
      }
      if (loop.send(end, datagram, heldFds) == -Errno.EAGAIN) {
        full = this;
        endWatch.wantWritable(true);
        return;
      }
      // If the session has just ended, the datagram is lost, as it would be with a receiver.
      dropHeld();
      if (full == this) {
        full = null;
        endWatch.wantWritable(false);
        loop.eventLoop().execute(DatagramStandIn.this::receive);
      }
    }

    private void dropHeld() {
      if (held != null) {
        held.release();
        held = null;
      }
      Fd.closeAll(heldFds);
      heldFds = List.of();
    }

    @Override
    public void ready(boolean readable, boolean writable, boolean ended, boolean hungUp) {
      if (writable && !over) {
        passHeld();
      }
      receiveReplies();
    }

    private void receiveReplies() {
      while (!over && reply == null) {
        int length = loop.receiveDatagram(end);
        if (length == -Errno.EAGAIN) {
          return;
        }
        if (length < 0 || (length == 0 && !loop.messages().wasMessage())) {
          close();
          return;
        }
        idleTimer.used();
        replyFds = loop.messages().takeFds();
        reply = loop.takeBytes(length);
        sendReply();
      }
    }

    private void sendReply() {
      ByteBuf answer = reply;
      if (over || answer == null) {
        return;
      }
      int sent =
          address.length == 0
              ? -Errno.ENOTCONN
              : loop.sendTo(socket.socket(), answer, replyFds, address);
      if (sent == -Errno.EAGAIN) {
        loop.after(RETRY, this::retryReply);
        return;
      }
      dropReply();
      if (sent == -Errno.ENOTCONN) {
        Log.debug(request.path() + ": an answer to a sender without an address is dropped");
      } else if (sent < 0) {
        close(); // the sender is gone
      }
    }

    private void retryReply() {
      sendReply();
      receiveReplies();
    }

    private void dropReply() {
      if (reply != null) {
        reply.release();
        reply = null;
      }
      Fd.closeAll(replyFds);
      replyFds = List.of();
    }

    /** Lets the session end after what it has been given. */
    void close() {
      if (over) {
        return;
      }
      over = true;
      senders.remove(ByteBuffer.wrap(address));
      served &= address.length != 0;
      dropHeld();
      dropReply();
      endWatch.cancel();
      end.close();
      if (full == this) {
        full = null;
        loop.eventLoop().execute(DatagramStandIn.this::receive);
      }
    }
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      shared.standIns().forget(request.path(), this);
      watch.cancel();
      socket.close();
      List.copyOf(senders.values()).forEach(Sender::close);
    }
  }
}
