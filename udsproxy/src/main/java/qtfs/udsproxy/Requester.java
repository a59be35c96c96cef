package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import qtfs.linux.LinuxException;
import qtfs.linux.ProcessAttributes;
import qtfs.linux.UnixSocket;

/**
 * The process for whose sake a connection is made, as the host that it runs on knows it; on the
 * other host a name for the log and nothing to decide by. Immutable.
 *
 * @param pid on that host, 0 where it is hidden by a pid namespace
 * @param command as in {@code /proc/PID/comm}: at most {@value #MAX_COMMAND} characters of
 *     printable ASCII, with '?' for all others; empty where it is unknown
 */
public record Requester(int pid, int uid, int gid, String command) {
  /** TASK_COMM_LEN, linux/sched.h, without the NUL. */
  static final int MAX_COMMAND = 15;

  /** A process of this host, which waits at the other end of a socket. */
  static Requester local(UnixSocket.Credentials who) {
    return new Requester(who.pid(), who.uid(), who.gid(), command(who.pid()));
  }

  /** This process. */
  static Requester self() {
    int pid = ProcessAttributes.pid();
    return new Requester(pid, ProcessAttributes.uid(), ProcessAttributes.gid(), command(pid));
  }

  /** Proc is no file system that hangs, and this is asked once a connection. */
  private static String command(int pid) {
    try {
      return pid == 0 ? "" : printable(ProcessAttributes.commandOf(pid));
    } catch (LinuxException goneOrOutOfDescriptors) {
      return "";
    }
  }

  private static String printable(byte[] bytes) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < bytes.length && i < MAX_COMMAND; i++) {
      text.append(bytes[i] >= ' ' && bytes[i] < 0x7f ? (char) bytes[i] : '?');
    }
    return text.toString();
  }

  /** Appends the body of a {@link Frame.From}. */
  void encode(ByteBuf out) {
    out.writeIntLE(uid).writeIntLE(gid).writeIntLE(pid);
    out.writeBytes(command.getBytes(StandardCharsets.US_ASCII));
  }

  /** Reads all of a buffer, 12 to 27 bytes. */
  static Requester decode(ByteBuf in) {
    int uid = in.readIntLE();
    int gid = in.readIntLE();
    int pid = in.readIntLE();
    byte[] command = new byte[in.readableBytes()];
    in.readBytes(command);
    return new Requester(pid, uid, gid, printable(command));
  }

  /** As it stands in log lines: {@code qemu-kvm, pid 77 uid 0 gid 0}. */
  @Override
  public String toString() {
    String numbers =
        "pid "
            + pid
            + " uid "
            + Integer.toUnsignedString(uid)
            + " gid "
            + Integer.toUnsignedString(gid);
    return command.isEmpty() ? numbers : command + ", " + numbers;
  }
}
