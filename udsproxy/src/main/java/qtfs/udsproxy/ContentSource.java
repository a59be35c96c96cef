package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;

/**
 * The content of a passed file on its way to the peer, in CONTENT frames. Reads on a thread of its
 * own, because a disk is slow, one frame at a time and only while the channel has room, so that it
 * holds no more than one. All else on the loop's thread; owns the file.
 */
final class ContentSource {
  private final Shared shared;
  private final ProxyLoop loop;
  private final Session session;
  private final Channel tcp;
  private final Backlog.Share held;
  private final Fd file;
  private final Runnable done;
  private long left;
  private @Nullable Fd reader; // at an offset of its own: the file's is the application's
  private boolean reading;
  private boolean closed;

  private ContentSource(
      Shared shared,
      ProxyLoop loop,
      Session session,
      Channel tcp,
      Backlog.Share held,
      Fd file,
      long size,
      Runnable done) {
    this.shared = shared;
    this.loop = loop;
    this.session = session;
    this.tcp = tcp;
    this.held = held;
    this.file = file;
    this.left = size;
    this.done = done;
  }

  /**
   * Begins to send behind what is being written now.
   *
   * @param held for what waits in the link
   * @param file taken over
   * @param done called when all has been written, or nothing more can be; not after {@link #close}
   * @return null for an empty file, of which there is nothing to send
   */
  static @Nullable ContentSource start(
      Shared shared,
      ProxyLoop loop,
      Session session,
      Channel tcp,
      Backlog.Share held,
      Fd file,
      FdFrame.Content announced,
      Runnable done) {
    session.entry().fdToPeer(FdKind.CONTENT);
    if (announced.size() == 0) {
      file.close();
      return null;
    }
    ContentSource source =
        new ContentSource(shared, loop, session, tcp, held, file, announced.size(), done);
    source.readOn();
    return source;
  }

  /** The channel has room again. */
  void writable() {
    if (!reading && !closed && held.mayRead(true)) {
      readOn();
    }
  }

  private void readOn() {
    reading = true;
    int length = (int) Math.min(left, Frame.MAX_EXTENDED_PAYLOAD);
    ByteBuf frame = tcp.alloc().directBuffer(Frame.HEADER_LENGTH + length);
    shared
        .fileOpener()
        .execute(
            () -> {
              long count = read(frame, length);
              loop.eventLoop().execute(() -> haveRead(frame, count));
            });
  }

  /** On any thread, one at a time. */
  private long read(ByteBuf frame, int length) {
    try {
      Fd from = reader;
      if (from == null) {
        from = file.reopen(Fd.O_RDONLY);
        reader = from;
      }
      return from.read(ProxyLoop.address(frame, Frame.HEADER_LENGTH), length);
    } catch (LinuxException e) {
      return -e.errno();
    }
  }

  private void haveRead(ByteBuf frame, long count) {
    reading = false;
    if (closed) {
      frame.release();
      closeFiles();
      return;
    }
    int length = (int) Math.max(0, count);
    Frame.header(frame, FdFrame.CONTENT, length);
    frame.writerIndex(Frame.HEADER_LENGTH + length);
    held.write(tcp, frame);
    tcp.flush();
    left -= length;
    if (count <= 0) {
      shared.audit().fdRefused(session.entry(), lost(count));
    }
    if (count <= 0 || left == 0) {
      close();
      done.run();
    } else if (tcp.isWritable() && held.mayRead(true)) {
      readOn();
    }
  }

  private RefusedException lost(long count) {
    return new RefusedException(
        "a file without a name lacks its last "
            + left
            + " bytes: "
            + (count == 0 ? "it has become shorter" : Errno.message((int) -count)));
  }

  /** Ends it; what is being read now is dropped. */
  void close() {
    closed = true;
    if (!reading) {
      closeFiles();
    }
  }

  private void closeFiles() {
    file.close();
    if (reader != null) {
      reader.close();
    }
  }
}
