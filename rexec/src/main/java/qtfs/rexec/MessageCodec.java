package qtfs.rexec;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The bytes of the messages. Lengths are checked before anything of that length is allocated.
 *
 * <pre>
 * header, six little-endian i32                    then msglen bytes
 *  0        4     8       12      16           20
 *  msgtype  argc  pipefd  msglen  exit_status  pid
 *
 *  EXEC      0x5a5a  argc > 0, msglen to 1 MiB     argc strings, each with a NUL; then JSON without
 *  KILL      0x5a5b  exit_status, msglen 0         from a server of ours also pid "QTF2" and
 *                                                  how it ended in argc
 *  PIPE      0x5a5c  pipefd, msglen 0
 *  PIDMAP    0x5a5d  pid, msglen 0                 from a server of ours also exit_status "QTF2"
 *                                                  and its capability bits in argc
 *  HANDSHAKE 0x5a5e  msglen 1                      '1' go, anything else give up
 *  SIGNAL    0x5a60  exit_status, msglen 0         only to a server of ours
 *  RESIZE    0x5a61  argc rows, pipefd columns, msglen 0           likewise
 *  ECHO      0x5a62  msglen 0                      to such a server, and back
 * </pre>
 *
 * Fields that a message does not name are sent as 0 and not read: the C programs leave them
 * uninitialised.
 */
final class MessageCodec {
  static final int HEADER_LENGTH = 24;
  static final int MAX_DATA_LENGTH = 1 << 20;

  static final int EXEC = 0x5a5a;
  static final int KILL = 0x5a5b;
  static final int PIPE = 0x5a5c;
  static final int PIDMAP = 0x5a5d;
  static final int HANDSHAKE = 0x5a5e;
  static final int SIGNAL = 0x5a60;
  static final int RESIZE = 0x5a61;
  static final int ECHO = 0x5a62;

  /** ASCII "QTF2": says that the server is ours, and argc more than a C server says. */
  static final int OURS = 0x32465451;

  private static final int MAX_EXIT_STATUS = 255;

  private static final int MSGTYPE = 0;
  private static final int ARGC = 4;
  private static final int PIPEFD = 8;
  private static final int MSGLEN = 12;
  private static final int EXIT_STATUS = 16;
  private static final int PID = 20;

  private MessageCodec() {}

  static byte[] encode(Message.Exec exec) {
    byte[] files = exec.files().getBytes(ISO_8859_1);
    int length = files.length;
    for (String argument : exec.arguments()) {
      length += argument.length() + 1;
    }
    byte[] message = header(EXEC, exec.arguments().size(), 0, length, 0, 0);
    int at = HEADER_LENGTH;
    for (String argument : exec.arguments()) {
      byte[] bytes = argument.getBytes(ISO_8859_1);
      System.arraycopy(bytes, 0, message, at, bytes.length);
      at += bytes.length + 1;
    }
    System.arraycopy(files, 0, message, at, files.length);
    return message;
  }

  static byte[] encode(Message.Handshake handshake) {
    byte[] message = header(HANDSHAKE, 0, 0, 1, 0, 0);
    message[HEADER_LENGTH] = handshake.answer();
    return message;
  }

  /** A header with {@code msglen} bytes of room behind it. */
  static byte[] header(int type, int argc, int pipefd, int msglen, int exitStatus, int pid) {
    byte[] message = new byte[HEADER_LENGTH + msglen];
    ByteBuffer.wrap(message)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(type)
        .putInt(argc)
        .putInt(pipefd)
        .putInt(msglen)
        .putInt(exitStatus)
        .putInt(pid);
    return message;
  }

  /** The number of data bytes that follow a header, checked against its type. */
  static int dataLength(byte[] header) throws ProtocolException {
    int type = field(header, MSGTYPE);
    int length = field(header, MSGLEN);
    boolean right =
        switch (type) {
          case EXEC -> length >= 0 && length <= MAX_DATA_LENGTH;
          case KILL, PIPE, PIDMAP, SIGNAL, RESIZE, ECHO -> length == 0;
          case HANDSHAKE -> length == 1;
          default -> throw new ProtocolException("unknown message type " + hex(type));
        };
    if (!right) {
      throw new ProtocolException("message " + hex(type) + " of " + length + " bytes");
    }
    return length;
  }

  /**
   * Reads a message.
   *
   * @param header {@value #HEADER_LENGTH} bytes
   * @param data as many as {@link #dataLength} says
   */
  static Message decode(byte[] header, byte[] data) throws ProtocolException {
    int type = field(header, MSGTYPE);
    return switch (type) {
      case EXEC -> exec(field(header, ARGC), data);
      case KILL -> kill(header);
      case PIPE -> new Message.PipeMessage(field(header, PIPEFD));
      case PIDMAP -> pidMap(header);
      case HANDSHAKE -> new Message.Handshake(data[0]);
      case SIGNAL -> new Message.Signal(field(header, EXIT_STATUS));
      case RESIZE -> new Message.Resize(field(header, ARGC), field(header, PIPEFD));
      case ECHO -> new Message.Echo();
      default -> throw new ProtocolException("unknown message type " + hex(type));
    };
  }

  private static Message pidMap(byte[] header) throws ProtocolException {
    int pid = field(header, PID);
    if (pid < 0) {
      throw new ProtocolException("pid " + pid);
    }
    boolean ours = field(header, EXIT_STATUS) == OURS;
    return new Message.PidMap(pid, ours ? field(header, ARGC) : 0);
  }

  /** A status that an exit would cut to a byte could become a 0. */
  private static Message kill(byte[] header) throws ProtocolException {
    int status = field(header, EXIT_STATUS);
    if (status < 0 || status > MAX_EXIT_STATUS) {
      throw new ProtocolException("exit status " + status);
    }
    boolean ours = field(header, PID) == OURS;
    return new Message.Kill(
        status, ours ? Message.Kill.End.of(field(header, ARGC)) : Message.Kill.End.UNTOLD);
  }

  private static Message exec(int argc, byte[] data) throws ProtocolException {
    // Each argument takes a NUL at least: so argc is bounded before it sizes anything.
    if (argc < 1 || argc > data.length) {
      throw new ProtocolException("argc " + argc + " in " + data.length + " bytes");
    }
    List<String> arguments = new ArrayList<>();
    int at = 0;
    while (arguments.size() < argc) {
      int end = indexOfNul(data, at);
      if (end < 0) {
        throw new ProtocolException(
            "argc " + argc + ", but " + arguments.size() + " terminated arguments");
      }
      arguments.add(new String(data, at, end - at, ISO_8859_1));
      at = end + 1;
    }
    if (indexOfNul(data, at) >= 0) {
      throw new ProtocolException("argc " + argc + ", but more terminated arguments");
    }
    byte[] files = Arrays.copyOfRange(data, at, data.length);
    return new Message.Exec(arguments, new String(files, ISO_8859_1));
  }

  private static int indexOfNul(byte[] data, int from) {
    for (int i = from; i < data.length; i++) {
      if (data[i] == 0) {
        return i;
      }
    }
    return -1;
  }

  private static int field(byte[] header, int offset) {
    return ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).getInt(offset);
  }

  private static String hex(int type) {
    return "0x" + Integer.toHexString(type);
  }
}
