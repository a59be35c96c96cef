package qtfs.rexec;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.LinuxException;
import qtfs.linux.Log;

/**
 * What the server itself says to a client's user, through one of the streams that came with the
 * request: as far as the pipe has room, and to nothing but a pipe, since the client may have passed
 * anything.
 */
final class UserText {
  private UserText() {}

  /** Writes a line behind the server's name. */
  static void tell(Fd stderr, String line) {
    write(stderr, "rexec_server: " + Log.escape(line) + "\n");
  }

  /** Writes a text as it is. */
  static void write(Fd stream, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    try {
      if (!FileStatus.of(stream).isFifo()) {
        return;
      }
      try (Fd pipe = stream.reopen(Fd.O_WRONLY | Fd.O_NONBLOCK);
          Arena arena = Arena.ofConfined()) {
        MemorySegment segment = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
        long ignored = pipe.write(segment, bytes.length);
      }
    } catch (LinuxException e) {
      Log.debug("cannot tell a user: " + e.getMessage());
    }
  }
}
