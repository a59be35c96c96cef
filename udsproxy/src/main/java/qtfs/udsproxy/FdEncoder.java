package qtfs.udsproxy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.LinuxException;
import qtfs.linux.SocketStatus;
import qtfs.linux.Terminal;
import qtfs.linux.UnixSocket;

/**
 * Finds the frame that stands for a descriptor: files, directories and devices by their path, pipe
 * ends and sockets by a token under which the peer fetches the bytes, files without a name by their
 * content. On the loop's thread.
 */
final class FdEncoder {
  /** What the kernel puts behind the path of a file that has none any more. */
  private static final String DELETED = " (deleted)";

  private final Shared shared;
  private final ProxyLoop loop;
  private final Session session;
  private final Dialect dialect;

  FdEncoder(Shared shared, ProxyLoop loop, Session session, Dialect dialect) {
    this.shared = shared;
    this.loop = loop;
    this.session = session;
    this.dialect = dialect;
  }

  /**
   * The frame for a descriptor, which it takes over; but that of a {@link FdFrame.Content} stays
   * the caller's, as does one for which there is no frame.
   *
   * @throws RefusedException if it has no meaning on the other host
   */
  Frame.Passed encode(Fd fd) throws IOException {
    FileStatus status = FileStatus.of(fd);
    int flags = Fcntl.statusFlags(fd);
    // Of a directory it is a place all the same. Of a file it would become one that can be read.
    if ((flags & Fd.O_PATH) != 0 && !status.isDirectory()) {
      throw new RefusedException("a " + status.kind() + " that is opened by O_PATH only");
    }
    return switch (dialect) {
      case V1 -> v1(fd, status, flags);
      case EXTENDED -> extended(fd, status, flags);
    };
  }

  private Frame.Passed v1(Fd fd, FileStatus status, int flags) throws IOException {
    if (status.isRegular()) {
      return scmRights(fd, status, flags);
    }
    if (status.isFifo()) {
      return pipe(fd, flags);
    }
    throw new RefusedException("a " + status.kind() + " has no meaning on the other host");
  }

  private Frame.Passed scmRights(Fd fd, FileStatus status, int flags) throws IOException {
    Path path = Files.readSymbolicLink(Path.of(fd.procPath()));
    if (!isStillAt(path, status)) {
      throw new RefusedException("the file " + path + " has no name any more");
    }
    requireLength(path.toString(), Frame.ScmRights.MAX_PATH);
    Frame.Passed frame = new Frame.ScmRights(flags, path.toString());
    return crossed(FdKind.FILE, fd, frame);
  }

  private Frame.Passed extended(Fd fd, FileStatus status, int flags) throws IOException {
    if (status.isDirectory()) {
      return place(fd, status, flags);
    }
    if (status.isRegular()) {
      return file(fd, status, flags);
    }
    if (status.isFifo()) {
      return pipe(fd, flags);
    }
    if (status.isSocket()) {
      return socket(fd, flags);
    }
    if (status.isCharacterDevice()) {
      return device(fd, status, flags);
    }
    throw hasNoMeaning(Fcntl.path(fd.number()));
  }

  private static RefusedException hasNoMeaning(String what) {
    return new RefusedException(what + " has no meaning on the other host");
  }

  private Frame.Passed file(Fd fd, FileStatus status, int flags) throws IOException {
    String path = Fcntl.path(fd.number());
    if (!path.startsWith("/")) {
      throw hasNoMeaning(path); // a pidfd, a namespace
    }
    if (isStillAt(Path.of(path), status)) {
      requireLength(path, FdFrame.MAX_PATH);
      return crossed(FdKind.FILE, fd, new FdFrame.File(flags, fd.position(), path));
    }
    if (path.endsWith(DELETED)) {
      return new FdFrame.Content(flags, fd.position(), status.size());
    }
    throw new RefusedException("the file " + path + " is not to be found by that name");
  }

  private Frame.Passed place(Fd fd, FileStatus status, int flags) throws IOException {
    String path = Fcntl.path(fd.number());
    if (!path.startsWith("/") || !isStillAt(Path.of(path), status)) {
      throw new RefusedException("the " + status.kind() + " " + path + " is not there any more");
    }
    requireLength(path, FdFrame.MAX_PATH);
    boolean directory = status.isDirectory();
    return crossed(
        directory ? FdKind.DIRECTORY : FdKind.DEVICE,
        fd,
        new FdFrame.Place(
            flags,
            directory ? FdFrame.Place.Type.DIRECTORY : FdFrame.Place.Type.DEVICE,
            status.node(),
            path));
  }

  private Frame.Passed device(Fd fd, FileStatus status, int flags) throws IOException {
    if (Terminal.isTerminal(fd.number())) {
      throw hasNoMeaning("the terminal " + Fcntl.path(fd.number()));
    }
    Optional<CommonDevice> common = CommonDevice.of(status.node());
    if (common.isEmpty()) {
      return place(fd, status, flags);
    }
    // Wherever it was opened, in a container say: it is the same everywhere.
    FdFrame frame =
        new FdFrame.Place(flags, FdFrame.Place.Type.DEVICE, status.node(), common.get().path());
    return crossed(FdKind.DEVICE, fd, frame);
  }

  private Frame.Passed crossed(FdKind kind, Fd fd, Frame.Passed frame) {
    session.entry().fdToPeer(kind);
    fd.close();
    return frame;
  }

  private static void requireLength(String path, int most) throws RefusedException {
    if (path.getBytes(StandardCharsets.UTF_8).length > most) {
      throw new RefusedException("a path of more than " + most + " bytes");
    }
  }

  private static boolean isStillAt(Path path, FileStatus status) {
    try {
      return FileStatus.of(path).sameFile(status);
    } catch (LinuxException gone) {
      return false;
    }
  }

  private Frame.Passed socket(Fd fd, int flags) throws IOException {
    SocketStatus status = SocketStatus.of(fd.number());
    if (!status.isUnix(UnixSocket.Type.STREAM)) {
      throw hasNoMeaning("a " + status);
    }
    if (!UnixSocket.isConnected(fd)) {
      throw new RefusedException("a " + status + " that is not connected");
    }
    int depth = SocketRelay.depthBehind(session.entry());
    session.entry().fdToPeer(FdKind.SOCKET);
    long token = shared.passedSockets().keep(new PassedFds.Socket(fd, session.name(), depth));
    shared
        .passedSockets()
        .expires(token, loop.after(shared.deadlines().pipe(), () -> expireSocket(token)));
    return new FdFrame.Socket(flags, token);
  }

  private void expireSocket(long token) {
    if (shared.passedSockets().expire(token)) {
      shared
          .audit()
          .fdRefused(
              session.entry(),
              new RefusedException("the peer has not fetched a socket passed to it"));
    }
  }

  private Frame.Passed pipe(Fd fd, int flags) throws IOException {
    PipeEnd end =
        switch (flags & Fd.O_ACCMODE) {
          case Fd.O_RDONLY -> PipeEnd.READ;
          case Fd.O_WRONLY -> PipeEnd.WRITE;
          default -> throw new RefusedException("a FIFO that is open for reading and writing");
        };
    session.entry().fdToPeer(FdKind.PIPE);
    long token = shared.passedPipes().keep(new PassedFds.Pipe(end, fd, session));
    shared
        .passedPipes()
        .expires(token, loop.after(shared.deadlines().pipe(), () -> expirePipe(token)));
    return new Frame.ScmPipe(end, (int) token);
  }

  private void expirePipe(long token) {
    if (shared.passedPipes().expire(token)) {
      session.pipeFailed("the peer has not fetched a pipe that was passed to it");
    }
  }
}
