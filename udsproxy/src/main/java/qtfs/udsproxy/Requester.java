package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import qtfs.linux.LinuxException;
import qtfs.linux.ProcessAttributes;
import qtfs.linux.UnixSocket;

/**
 * Who wants a connection, as the requester's host sees it; at the other side a name for the log and
 * nothing to decide by. The command is what the process calls itself, at most 15 bytes, with '?'
 * for all that is not printable ASCII; empty if nobody knows.
 */
record Requester(int uid, int gid, int pid, String command) {
  /** TASK_COMM_LEN, linux/sched.h, without the NUL. */
  static final int MAX_COMMAND = 15;

  /** The process behind a connection of this host. */
  static Requester of(UnixSocket.Credentials who) {
    return new Requester(who.uid(), who.gid(), who.pid(), command(who.pid()));
  }

  private static String command(int pid) {
    try {
      return printable(ProcessAttributes.commandOf(pid));
    } catch (LinuxException gone) {
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

  /** Appends what the frame {@link Frame.From} says of it. */
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
    return new Requester(uid, gid, pid, printable(command));
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
