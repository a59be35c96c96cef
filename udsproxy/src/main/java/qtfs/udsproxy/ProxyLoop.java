package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.IoEventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import qtfs.linux.Fd;
import qtfs.linux.MessageIo;

/**
 * An event loop with the buffers that all its connections share: only one of them receives at a
 * time.
 *
 * <p>A read from a unix socket scatters into the payloads of frames laid out with holes for their
 * headers, so that what arrived goes to the peer in one contiguous write, in v1 each frame beside
 * its END:
 *
 * <pre>
 * v1        | header 8 | payload, up to 4088 | END 8 | header 8 | payload ... | END 8 | ...
 * extended  | header 8 | payload, up to 65536 | header 8 | payload ...
 * </pre>
 */
final class ProxyLoop {
  private static final int SCRATCH_SIZE = Math.max(size(Dialect.V1), size(Dialect.EXTENDED));

  /** Below this a copy is cheaper than keeping a whole read buffer busy until the peer has it. */
  private static final int COPY_BELOW = 16 * 1024;

  /** What a connection may read while memory is scarce. */
  static final int LITTLE = 4 * 1024 - Frame.HEADER_LENGTH;

  /** What a pipe holds, unless somebody has made it larger. */
  private static final int PIPE_READ = 64 * 1024;

  private static final long SOON = 20;

  private final IoEventLoop eventLoop;
  private final ByteBufAllocator buffers;
  private final MessageIo messages = MessageIo.neverWaiting();
  private final List<Channel> unflushed = new ArrayList<>();
  private ByteBuf scratch;

  /**
   * Gives a loop its buffers.
   *
   * @param buffers where they, and those of the loop's links, come from
   */
  ProxyLoop(IoEventLoop eventLoop, ByteBufAllocator buffers) {
    this.eventLoop = eventLoop;
    this.buffers = buffers;
    this.scratch = newScratch();
  }

  /** Memory for the link's side of all connections; for any thread. */
  ByteBufAllocator buffers() {
    return buffers;
  }

  private ByteBuf newScratch() {
    return buffers.directBuffer(SCRATCH_SIZE, SCRATCH_SIZE);
  }

  private static int size(Dialect dialect) {
    return dialect.framesPerRead() * dialect.stride();
  }

  IoEventLoop eventLoop() {
    return eventLoop;
  }

  /** For one system call at a time. */
  MessageIo messages() {
    return messages;
  }

  /** Runs a task on the loop's thread: at once, if this is it. */
  void run(Runnable task) {
    if (eventLoop.inEventLoop()) {
      task.run();
    } else {
      eventLoop.execute(task);
    }
  }

  /** Runs a task after a time, unless cancelled. */
  ScheduledFuture<?> after(Duration delay, Runnable task) {
    return eventLoop.schedule(task, delay.toMillis(), TimeUnit.MILLISECONDS);
  }

  /**
   * Sends what has been written to a channel within {@value #SOON} ms, if nothing else does before:
   * one timer for all.
   */
  void flushSoon(Channel channel) {
    if (unflushed.isEmpty()) {
      eventLoop.schedule(this::flush, SOON, TimeUnit.MILLISECONDS);
    }
    unflushed.add(channel);
  }

  private void flush() {
    unflushed.forEach(Channel::flush);
    unflushed.clear();
  }

  /**
   * Receives from a unix socket into frames; {@link #takeFrames} and {@link MessageIo#takeFds} give
   * what came.
   *
   * @return payload bytes, 0 at the end, or {@code -errno}
   */
  int receive(Fd socket, Dialect dialect) {
    return receive(socket, dialect, dialect.framesPerRead(), dialect.maxPayload());
  }

  /** The same, but of {@link #LITTLE} bytes at most. */
  int receiveLittle(Fd socket, Dialect dialect) {
    return receive(socket, dialect, 1, LITTLE);
  }

  private int receive(Fd socket, Dialect dialect, int frames, int length) {
    long base = address(scratch, 0) + Frame.HEADER_LENGTH;
    for (int i = 0; i < frames; i++) {
      messages.piece(i, base + (long) i * dialect.stride(), length);
    }
    return (int) messages.receive(socket, frames);
  }

  /**
   * The frames around the payload just received, ready for the peer; the caller releases them.
   *
   * @param received payload bytes, more than 0
   */
  ByteBuf takeFrames(int received, Dialect dialect) {
    int at = 0;
    for (int left = received; left > 0; left -= dialect.maxPayload()) {
      int length = Math.min(left, dialect.maxPayload());
      scratch.setIntLE(at, dialect.payloadType()).setIntLE(at + 4, length);
      at += Frame.HEADER_LENGTH + length;
      if (dialect.trailer() > 0) {
        scratch.setIntLE(at, Frame.END).setIntLE(at + 4, 0);
        at += dialect.trailer();
      }
    }
    return take(at);
  }

  /**
   * Receives one message from a socket with message boundaries; {@link #takeMessage} gives what
   * came.
   *
   * @return its bytes, or {@code -errno}; 0 is also the end, see {@link MessageIo#wasMessage}
   */
  int receiveMessage(Fd socket) {
    messages.piece(0, address(scratch, 0) + Frame.HEADER_LENGTH, Frame.MAX_EXTENDED_PAYLOAD);
    return (int) messages.receive(socket, 1);
  }

  /**
   * Receives one message for this host; {@link #takeBytes} gives what came, {@link
   * MessageIo#sender} from whom. Otherwise like {@link #receiveMessage}.
   */
  int receiveDatagram(Fd socket) {
    messages.piece(0, address(scratch, 0), Frame.MAX_EXTENDED_PAYLOAD);
    return (int) messages.receiveFrom(socket, 1);
  }

  /** The frames of the message just received, which may be empty; the caller releases them. */
  ByteBuf takeMessage(int received, Dialect dialect) {
    int at = 0;
    if (received > 0 || dialect.trailer() == 0) {
      scratch.setIntLE(0, dialect.payloadType()).setIntLE(4, received);
      at = Frame.HEADER_LENGTH + received;
    }
    if (dialect.trailer() > 0) {
      scratch.setIntLE(at, Frame.END).setIntLE(at + 4, 0);
      at += dialect.trailer();
    }
    return take(at);
  }

  /**
   * Reads from a pipe; {@link #takeBytes} gives what came.
   *
   * @return bytes, 0 at the end, or {@code -errno}
   */
  int read(Fd pipe) {
    return (int) pipe.read(address(scratch, 0), PIPE_READ);
  }

  /**
   * The bytes just read from a pipe; the caller releases them.
   *
   * @param received more than 0
   */
  ByteBuf takeBytes(int received) {
    return take(received);
  }

  private ByteBuf take(int length) {
    if (length < COPY_BELOW) {
      return buffers.directBuffer(length, length).writeBytes(scratch, 0, length);
    }
    ByteBuf full = scratch.writerIndex(length);
    scratch = newScratch();
    return full;
  }

  /** Where a byte of a direct buffer is in memory. */
  static long address(ByteBuf buffer, int index) {
    return buffer.memoryAddress() + index;
  }

  /** Sends one message, which may be empty. */
  int send(Fd socket, ByteBuf message, List<Fd> fds) {
    return (int) messages.send(socket, piece(message), fds);
  }

  /** Sends one datagram to an address, see {@link MessageIo#sendTo}. */
  int sendTo(Fd socket, ByteBuf message, List<Fd> fds, byte[] to) {
    return (int) messages.sendTo(socket, piece(message), fds, to);
  }

  /** Prepares a whole message, and returns in how many pieces. */
  private int piece(ByteBuf message) {
    if (!message.isReadable()) {
      return 0;
    }
    messages.piece(0, address(message, message.readerIndex()), message.readableBytes());
    return 1;
  }

  /** Sends the pieces prepared in {@link #messages}. */
  int send(Fd socket, int pieces, List<Fd> fds) {
    return (int) messages.send(socket, pieces, fds);
  }

  /** Frees the buffers, after the loop has ended. */
  void close() {
    scratch.release();
    messages.close();
  }
}
