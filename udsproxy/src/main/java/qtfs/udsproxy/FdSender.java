package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Fd;

/**
 * Sends an application's messages that have descriptors: a frame for each that can cross, in their
 * order, then the payload. What cannot cross is told in the audit trail, and the message goes on
 * without it, as with the deployed daemon. A file whose content is carried takes its time, and
 * nothing else is sent meanwhile. On the loop's thread; owns the message that is being sent.
 */
final class FdSender {
  private static final int ANNOUNCEMENT_SIZE = 256;

  private final Shared shared;
  private final ProxyLoop loop;
  private final Session session;
  private final Channel tcp;
  private final FdEncoder encoder;
  private final Backlog.Share held;
  private final Runnable sent;
  private final Queue<Fd> waiting = new ArrayDeque<>();
  private @Nullable ByteBuf payload;
  private @Nullable ContentSource content;
  private long contentBytes; // of the message

  /**
   * Sends for one session.
   *
   * @param held for what waits in the link
   * @param sent called when a message has been sent that {@link #send} had not finished
   */
  FdSender(
      Shared shared,
      ProxyLoop loop,
      Session session,
      Link link,
      Backlog.Share held,
      Runnable sent) {
    this.shared = shared;
    this.loop = loop;
    this.session = session;
    this.tcp = link.tcp();
    this.encoder = new FdEncoder(shared, loop, session, link.dialect());
    this.held = held;
    this.sent = sent;
  }

  /**
   * Writes a message, taking descriptors and payload over; the caller flushes. Unless {@link
   * #isBusy} afterwards, that is all.
   */
  void send(List<Fd> fds, ByteBuf message) {
    waiting.addAll(fds);
    payload = message;
    contentBytes = 0;
    goOn(message);
  }

  /** Whether a message is being sent, so that nothing else may be. */
  boolean isBusy() {
    return payload != null;
  }

  /** The channel has room again. */
  void writable() {
    if (content != null) {
      content.writable();
    }
  }

  private void goOn(ByteBuf message) {
    ByteBuf frames = tcp.alloc().directBuffer(ANNOUNCEMENT_SIZE);
    while (content == null && !waiting.isEmpty()) {
      announce(waiting.remove(), frames);
    }
    held.write(tcp, frames);
    if (content == null) {
      payload = null;
      held.write(tcp, message);
    }
  }

  private void announce(Fd fd, ByteBuf frames) {
    try {
      Frame.Passed frame = encoder.encode(fd);
      if (frame instanceof FdFrame.Content announced) {
        requireRoom(announced.size());
        content =
            ContentSource.start(shared, loop, session, tcp, held, fd, announced, this::contentSent);
      }
      frame.encode(frames);
    } catch (IOException e) {
      fd.close();
      shared.audit().fdRefused(session.entry(), e);
    }
  }

  private void requireRoom(long size) throws RefusedException {
    if (size > FdFrame.MAX_CONTENT - contentBytes) {
      throw new RefusedException(
          "a file without a name of "
              + size
              + " bytes: a message carries "
              + FdFrame.MAX_CONTENT
              + " in all");
    }
    contentBytes += size;
  }

  private void contentSent() {
    ByteBuf message = payload;
    content = null;
    if (message != null) {
      goOn(message);
      if (!isBusy()) {
        tcp.flush();
        sent.run();
      }
    }
  }

  /** Lets go of the message, when the session has been closed. */
  void release() {
    Fd.closeAll(waiting);
    waiting.clear();
    if (payload != null) {
      payload.release();
      payload = null;
    }
    if (content != null) {
      content.close();
      content = null;
    }
  }
}
