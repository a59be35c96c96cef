package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.LinuxException;

/**
 * Turns the descriptors of an application's message into frames: regular files by their path, pipe
 * ends by a token under which the peer fetches the bytes. What cannot cross is named in the log,
 * and the message goes on without it, as the deployed daemon does.
 */
final class FdSender {
  private final Shared shared;
  private final ProxyLoop loop;
  private final Session session;

  FdSender(Shared shared, ProxyLoop loop, Session session) {
    this.shared = shared;
    this.loop = loop;
    this.session = session;
  }

  /** Appends a frame for each descriptor that can cross; takes all of them over. */
  void encode(List<Fd> fds, ByteBuf out) {
    for (Fd fd : fds) {
      try {
        frameFor(fd).encode(out);
      } catch (IOException e) {
        fd.close();
        shared.audit().fdRefused(session.entry(), e);
      }
    }
  }

  private Frame frameFor(Fd fd) throws IOException {
    FileStatus status = FileStatus.of(fd);
    if (status.isRegular()) {
      return regularFile(fd, status);
    }
    if (status.isFifo()) {
      return pipe(fd);
    }
    throw new RefusedException("a " + status.kind() + " has no meaning on the other host");
  }

  private Frame regularFile(Fd fd, FileStatus status) throws IOException {
    Path path = Files.readSymbolicLink(Path.of(fd.procPath()));
    if (!isStillAt(path, status)) {
      throw new RefusedException("the file " + path + " has no name any more");
    }
    if (path.toString().getBytes(StandardCharsets.UTF_8).length > Frame.ScmRights.MAX_PATH) {
      throw new RefusedException("a path of more than " + Frame.ScmRights.MAX_PATH + " bytes");
    }
    Frame frame = new Frame.ScmRights(Fcntl.statusFlags(fd), path.toString());
    fd.close();
    session.entry().fdToPeer(SessionEntry.FILE);
    return frame;
  }

  private static boolean isStillAt(Path path, FileStatus status) {
    try {
      return FileStatus.of(path).sameFile(status);
    } catch (LinuxException gone) {
      return false;
    }
  }

  private Frame pipe(Fd fd) throws IOException {
    PipeEnd end =
        switch (Fcntl.statusFlags(fd) & Fd.O_ACCMODE) {
          case Fd.O_RDONLY -> PipeEnd.READ;
          case Fd.O_WRONLY -> PipeEnd.WRITE;
          default -> throw new RefusedException("a FIFO that is open for reading and writing");
        };
    session.entry().fdToPeer(SessionEntry.PIPE);
    int token = shared.passedPipes().keep(end, fd, session);
    loop.after(
        shared.deadlines().pipe(),
        () -> {
          if (shared.passedPipes().expire(token)) {
            session.pipeFailed("the peer has not fetched a pipe that was passed to it");
          }
        });
    return new Frame.ScmPipe(end, token);
  }
}
