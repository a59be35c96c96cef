package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.util.concurrent.ScheduledFuture;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.UnixSocket;

/**
 * A client of the control socket: a request a line, an answer a line, one after the other. It has a
 * deadline for each whole request and for taking each answer; what is too long or no request is
 * answered, and the end. Owns the connection. On the loop's thread, but for the work that a request
 * makes, which may block.
 */
final class ControlConnection implements FdWatch.Listener {
  /** The longest request, in bytes, without the end of its line. */
  static final int MAX_REQUEST = 8192;

  private final Shared shared;
  private final ProxyLoop loop;
  private final Control control;
  private final Fd client;
  private final UnixSocket.Credentials who;
  private final FdWatch watch;
  private final ByteBuf received = Unpooled.buffer(256);
  private boolean working; // on a request, until its answer has been taken
  private @Nullable ByteBuf answer;
  private boolean last;
  private boolean closed;
  private ScheduledFuture<?> deadline;

  private ControlConnection(
      Shared shared, ProxyLoop loop, Control control, Fd client, UnixSocket.Credentials who) {
    this.shared = shared;
    this.loop = loop;
    this.control = control;
    this.client = client;
    this.who = who;
    this.watch = FdWatch.start(loop.eventLoop(), client.number(), this);
    this.deadline = inTime();
  }

  /**
   * Begins to serve a client; on the loop's thread.
   *
   * @param client does not block; taken over
   */
  static void start(
      Shared shared, ProxyLoop loop, Control control, Fd client, UnixSocket.Credentials who) {
    ControlConnection _ = new ControlConnection(shared, loop, control, client, who);
  }

  private ScheduledFuture<?> inTime() {
    return loop.after(shared.deadlines().handshake(), this::close);
  }

  @Override
  public void ready(boolean readable, boolean writable, boolean ended, boolean hungUp) {
    if (writable && answer != null) {
      send(answer);
    } else if (readable && !working) {
      read();
    }
  }

  /** Reads up to the end of a request. */
  private void read() {
    while (!closed && !working) {
      int length = received.bytesBefore((byte) '\n');
      if ((length < 0 ? received.readableBytes() : length) > MAX_REQUEST) {
        working = true;
        answer(Control.failure("a request has at most " + MAX_REQUEST + " bytes"));
      } else if (length >= 0) {
        byte[] line = new byte[length];
        received.readBytes(line).skipBytes(1).discardReadBytes();
        carryOut(line);
      } else if (!receive()) {
        return;
      }
    }
  }

  private boolean receive() {
    int n = loop.read(client);
    if (n == -Errno.EAGAIN) {
      return false;
    }
    if (n <= 0) {
      close();
      return false;
    }
    ByteBuf bytes = loop.takeBytes(n);
    received.writeBytes(bytes);
    bytes.release();
    return true;
  }

  private void carryOut(byte[] line) {
    working = true;
    deadline.cancel(false);
    shared
        .fileOpener()
        .execute(
            () -> {
              Control.Answer result = control.carryOut(line, who);
              loop.eventLoop().execute(() -> answer(result));
            });
  }

  private void answer(Control.Answer result) {
    if (closed) {
      return;
    }
    byte[] line = (result.line() + '\n').getBytes(StandardCharsets.UTF_8);
    ByteBuf bytes = ByteBufAllocator.DEFAULT.directBuffer(line.length).writeBytes(line);
    answer = bytes;
    last = result.last();
    deadline.cancel(false);
    deadline = inTime();
    send(bytes);
  }

  private void send(ByteBuf bytes) {
    while (bytes.isReadable()) {
      long from = ProxyLoop.address(bytes, bytes.readerIndex());
      int n = (int) client.write(from, bytes.readableBytes());
      if (n == -Errno.EAGAIN) {
        watch.wantWritable(true);
        return;
      }
      if (n < 0) {
        close();
        return;
      }
      bytes.skipBytes(n);
    }
    answered(bytes);
  }

  private void answered(ByteBuf bytes) {
    bytes.release();
    answer = null;
    working = false;
    watch.wantWritable(false);
    if (last) {
      close();
      return;
    }
    deadline.cancel(false);
    deadline = inTime();
    read();
  }

  private void close() {
    if (closed) {
      return;
    }
    closed = true;
    deadline.cancel(false);
    watch.cancel();
    client.close();
    received.release();
    if (answer != null) {
      answer.release();
      answer = null;
    }
  }
}
