package qtfs.udsproxy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import qtfs.linux.UnixSocket;

/**
 * The process for whose sake a connection is made, as the host that it runs on knows it. Immutable.
 *
 * @param pid on that host, 0 where it is hidden by a pid namespace
 * @param command as in {@code /proc/PID/comm}, empty where that is unknown; any text, to be escaped
 */
public record Requester(int pid, int uid, int gid, String command) {
  /** A process of this host, which waits at the other end of a socket. */
  static Requester local(UnixSocket.Credentials who) {
    return new Requester(who.pid(), who.uid(), who.gid(), command(who.pid()));
  }

  /** Proc is no file system that hangs, and this is asked once a connection. */
  private static String command(int pid) {
    try {
      // A name is any bytes: those that are no UTF-8 become replacement characters.
      byte[] name = pid == 0 ? new byte[0] : Files.readAllBytes(Path.of("/proc/" + pid + "/comm"));
      return new String(name, StandardCharsets.UTF_8).stripTrailing();
    } catch (IOException goneOrOutOfDescriptors) {
      return "";
    }
  }
}
