package qtfs.rexec;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Errno;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.LinuxException;
import qtfs.linux.MessageIo;
import qtfs.linux.Terminal;

/**
 * A standard stream of another process, used without ever waiting for it, and without changing a
 * flag that the process sees. The stream stays the caller's; what was opened besides is owned here.
 */
final class CallerStream implements Closeable {
  private static final int MEMORY_DEVICES = 1; // null, zero, full, random: linux/major.h

  private final Fd fd;
  private final @Nullable Fd opened;
  private final @Nullable MessageIo socket;

  private CallerStream(Fd fd, @Nullable Fd opened, @Nullable MessageIo socket) {
    this.fd = fd;
    this.opened = opened;
    this.socket = socket;
  }

  /** For a stream to be read. */
  static CallerStream toRead(Fd stream) throws IOException {
    if (Terminal.isTerminal(stream.number())) {
      // Whether it may be read from in the background is a question of who reads.
      throw new IOException("a terminal");
    }
    return of(stream, Fd.O_RDONLY);
  }

  /** For a stream to be written. */
  static CallerStream toWrite(Fd stream) throws IOException {
    return of(stream, Fd.O_WRONLY);
  }

  private static CallerStream of(Fd stream, int access) throws IOException {
    int granted = Fcntl.statusFlags(stream) & Fd.O_ACCMODE;
    if (granted != access && granted != Fd.O_RDWR) {
      throw new IOException("not open for this");
    }
    FileStatus status = FileStatus.of(stream);
    if (status.isRegular() || (status.isCharacterDevice() && isOfMemory(status))) {
      return new CallerStream(stream, null, null);
    } else if (status.isSocket()) {
      return new CallerStream(stream, null, MessageIo.ofThisThreadNeverWaiting());
    } else if (status.isFifo() || Terminal.isTerminal(stream.number())) {
      Fd opened = reopen(stream, access);
      return new CallerStream(opened == null ? stream : opened, opened, null);
    }
    throw new IOException("a " + status.kind());
  }

  private static boolean isOfMemory(FileStatus status) {
    return status.node() >>> 32 == MEMORY_DEVICES;
  }

  private static @Nullable Fd reopen(Fd stream, int access) throws LinuxException {
    try {
      return stream.reopen(access | Fd.O_NONBLOCK | Fd.O_NOCTTY);
    } catch (LinuxException e) {
      if (e.errno() == Errno.ENXIO) {
        // Nobody reads it: to write to it is an error, and takes no time.
        return null;
      }
      throw e;
    }
  }

  /** To be polled. */
  Fd fd() {
    return fd;
  }

  /** Reads; as {@link Fd#read(long, long)}. */
  long read(long address, long length) {
    if (socket == null) {
      return fd.read(address, length);
    }
    socket.piece(0, address, length);
    long n = socket.receive(fd, 1);
    Fd.closeAll(socket.takeFds());
    return n;
  }

  /** Writes; as {@link Fd#write(long, long)}. */
  long write(long address, long length) {
    if (socket == null) {
      return fd.write(address, length);
    }
    socket.piece(0, address, length);
    return socket.send(fd, 1, List.of());
  }

  @Override
  public void close() {
    if (opened != null) {
      opened.close();
    }
    if (socket != null) {
      socket.close();
    }
  }
}
