package qtfs.udsproxy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.MessageIo;

/**
 * The descriptors of the message that the peer is sending: opened or made here one after the other,
 * so that they keep their order, and owned until {@link #close}. What the peer may not have, or
 * this host cannot make, is told in the audit trail, and the message goes on without it. On the
 * loop's thread.
 */
final class FdReceiver {
  private final Session session;
  private final Shared shared;
  private final ProxyLoop loop;
  private final Runnable opened;
  private final List<Fd> fds = new ArrayList<>();
  private boolean opening;
  private @Nullable ContentSink content;
  private long contentBytes; // of the message

  /**
   * Receives for one session.
   *
   * @param opened called when {@link #isOpening} is over
   */
  FdReceiver(Session session, Shared shared, ProxyLoop loop, Runnable opened) {
    this.session = session;
    this.shared = shared;
    this.loop = loop;
    this.opened = opened;
  }

  /** Those that are ready, to be sent on and then closed. */
  List<Fd> fds() {
    return fds;
  }

  /** Whether nothing may be read from the peer, because a file is being opened. */
  boolean isOpening() {
    return opening;
  }

  /** Begins to make what a frame stands for. */
  void receive(Frame.Passed passed) throws ProtocolException {
    if (fds.size() == MessageIo.MAX_FDS) {
      throw new ProtocolException("more than " + MessageIo.MAX_FDS + " descriptors in a message");
    }
    switch (passed) {
      case Frame.ScmPipe pipe -> receivePipe(pipe);
      case FdFrame.Socket socket -> receiveSocket(socket);
      case FdFrame.Content announced -> receiveContent(announced);
      case Frame.ScmRights file -> open(FdKind.FILE, () -> shared.reach().openFile(file));
      case FdFrame.File file -> open(FdKind.FILE, () -> openAt(file));
      case FdFrame.Place place ->
          open(
              place.type() == FdFrame.Place.Type.DIRECTORY ? FdKind.DIRECTORY : FdKind.DEVICE,
              () -> shared.reach().openPlace(place));
    }
  }

  private void add(FdKind kind, Fd fd) {
    fds.add(fd);
    session.entry().fdFromPeer(kind);
  }

  private void refused(IOException reason) {
    shared.audit().fdRefused(session.entry(), reason);
  }

  private void receivePipe(Frame.ScmPipe pipe) {
    try {
      add(FdKind.PIPE, PipeRelay.fetch(shared, loop, session, pipe));
    } catch (IOException e) {
      session.pipeFailed("a passed pipe cannot be taken: " + e.getMessage());
    }
  }

  private void receiveSocket(FdFrame.Socket socket) {
    try {
      add(FdKind.SOCKET, SocketRelay.fetch(shared, loop, session.entry(), socket));
    } catch (IOException e) {
      refused(e);
    }
  }

  // ---- by path

  /** Opens something, as slow as a file system may be. */
  private interface Opening {
    Fd open() throws IOException;
  }

  private Fd openAt(FdFrame.File file) throws IOException {
    Fd fd = shared.reach().openFile(file.path(), file.flags());
    try {
      fd.position(file.offset());
      return fd;
    } catch (LinuxException e) {
      fd.close();
      throw e;
    }
  }

  /** On a thread of its own, because a file system may hang; the session waits, nobody else. */
  private void open(FdKind kind, Opening how) {
    opening = true;
    shared
        .fileOpener()
        .execute(
            () -> {
              Fd result = openOrRefuse(how);
              loop.eventLoop().execute(() -> hasOpened(kind, result));
            });
  }

  private @Nullable Fd openOrRefuse(Opening how) {
    try {
      return how.open();
    } catch (IOException e) {
      refused(e);
      return null;
    }
  }

  private void hasOpened(FdKind kind, @Nullable Fd fd) {
    opening = false;
    if (fd != null) {
      if (session.isClosed()) {
        fd.close();
      } else {
        add(kind, fd);
      }
    }
    opened.run();
  }

  // ---- by content

  private void receiveContent(FdFrame.Content announced) throws ProtocolException {
    contentBytes += announced.size();
    if (contentBytes > FdFrame.MAX_CONTENT) {
      throw new ProtocolException("more than " + FdFrame.MAX_CONTENT + " bytes of files");
    }
    try {
      content = ContentSink.open(announced);
      finishContent(content);
    } catch (IOException e) {
      dropContent(e);
    }
  }

  /** Takes bytes of the file whose content is being received. */
  void content(long address, int length) {
    ContentSink sink = content;
    if (sink == null) {
      return; // it cannot be had, and has been told
    }
    try {
      sink.write(address, length);
      finishContent(sink);
    } catch (IOException e) {
      dropContent(e);
    }
  }

  private void finishContent(ContentSink sink) throws IOException {
    if (sink.isComplete()) {
      content = null;
      add(FdKind.CONTENT, sink.finish());
    }
  }

  /** The peer cannot read the file to its end. */
  void contentLost() {
    if (content != null) {
      dropContent(new RefusedException("a passed file has become shorter, or cannot be read"));
    }
  }

  private void dropContent(IOException reason) {
    refused(reason);
    closeContent();
  }

  private void closeContent() {
    if (content != null) {
      content.close();
      content = null;
    }
  }

  /** Closes all that has been received: the next one is of another message. */
  void close() {
    Fd.closeAll(fds);
    fds.clear();
    contentBytes = 0;
    closeContent();
  }
}
