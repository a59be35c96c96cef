package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import qtfs.linux.FileStatus;

/**
 * A frame of the extended dialect that stands for a descriptor which v1 cannot pass, or not as it
 * is. {@code flags} are the sender's, F_GETFL; the receiver takes of them what it lets a peer say.
 *
 * <pre>
 * FD_FILE     0xa5b8  0 i32 flags   4 i64 offset   12 path, NUL, at most 4095 characters
 * FD_SOCKET   0xa5b9  0 i32 flags   4 i64 token
 * FD_CONTENT  0xa5ba  0 i32 flags   4 i64 offset   12 i64 size, at most 64 MiB
 * CONTENT     0xa5bb  1..65536 bytes of it, or none: the rest cannot be had
 * FD_PATH     0xa5bc  0 i32 flags   4 i32 type, S_IFDIR or S_IFCHR   8 i32 major   12 i32 minor
 *                     16 path, NUL
 * </pre>
 */
sealed interface FdFrame extends Frame.Passed {
  int FILE = 0xa5b8;
  int SOCKET = 0xa5b9;
  int CONTENT_OF = 0xa5ba;
  int CONTENT = 0xa5bb;
  int PATH = 0xa5bc;

  /** PATH_MAX, linux/limits.h, without the NUL. */
  int MAX_PATH = 4095;

  int FILE_LENGTH = 4 + 8;
  int SOCKET_LENGTH = 4 + 8;
  int CONTENT_OF_LENGTH = 4 + 8 + 8;
  int PATH_LENGTH = 4 + 4 + 4 + 4;

  /** The most bytes of a body, but for CONTENT, which is never gathered. */
  int MAX_BODY = PATH_LENGTH + MAX_PATH + 1;

  /** The most that the files of one message may hold whose content is carried. */
  long MAX_CONTENT = 64L << 20;

  /**
   * A regular file, to be opened by the receiver.
   *
   * @param offset where it is to be read or written next
   */
  record File(int flags, long offset, String path) implements FdFrame {
    @Override
    public void encode(ByteBuf out) {
      byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
      Frame.header(out, FILE, FILE_LENGTH + bytes.length + 1);
      out.writeIntLE(flags).writeLongLE(offset).writeBytes(bytes).writeByte(0);
    }

    static File decode(ByteBuf body) throws ProtocolException {
      return new File(
          body.readIntLE(), notNegative("offset", body.readLongLE()), Frame.path("FD_FILE", body));
    }
  }

  /**
   * A connected stream socket, to be replaced by one of the receiver's.
   *
   * @param token what the receiver says to the sender to be connected to it; opaque to it
   */
  record Socket(int flags, long token) implements FdFrame {
    @Override
    public void encode(ByteBuf out) {
      Frame.header(out, SOCKET, SOCKET_LENGTH);
      out.writeIntLE(flags).writeLongLE(token);
    }

    static Socket decode(ByteBuf body) {
      return new Socket(body.readIntLE(), body.readLongLE());
    }
  }

  /**
   * A file that has no name, whose content follows in CONTENT frames, with nothing between them.
   *
   * @param size of the content
   */
  record Content(int flags, long offset, long size) implements FdFrame {
    @Override
    public void encode(ByteBuf out) {
      Frame.header(out, CONTENT_OF, CONTENT_OF_LENGTH);
      out.writeIntLE(flags).writeLongLE(offset).writeLongLE(size);
    }

    static Content decode(ByteBuf body) throws ProtocolException {
      Content content =
          new Content(
              body.readIntLE(),
              notNegative("offset", body.readLongLE()),
              notNegative("size", body.readLongLE()));
      if (content.size() > MAX_CONTENT) {
        throw new ProtocolException("FD_CONTENT of " + content.size() + " bytes");
      }
      return content;
    }
  }

  /**
   * A directory or a character device, to be opened by the receiver.
   *
   * @param device the number of a device, as in {@link FileStatus#node}; 0 for a directory
   */
  record Place(int flags, Type type, long device, String path) implements FdFrame {
    /** What a place is, with its S_IFMT, linux/stat.h. */
    enum Type {
      DIRECTORY(0040000),
      DEVICE(0020000);

      private final int mode;

      Type(int mode) {
        this.mode = mode;
      }

      private static Type fromWire(int mode) throws ProtocolException {
        return switch (mode) {
          case 0040000 -> DIRECTORY;
          case 0020000 -> DEVICE;
          default -> throw new ProtocolException("FD_PATH of type 0" + Integer.toOctalString(mode));
        };
      }

      /** Whether a file is one. */
      boolean fits(FileStatus status) {
        return switch (this) {
          case DIRECTORY -> status.isDirectory();
          case DEVICE -> status.isCharacterDevice();
        };
      }

      /** In words for a line that complains. */
      @Override
      public String toString() {
        return switch (this) {
          case DIRECTORY -> "directory";
          case DEVICE -> "character device";
        };
      }
    }

    @Override
    public void encode(ByteBuf out) {
      byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
      Frame.header(out, PATH, PATH_LENGTH + bytes.length + 1);
      out.writeIntLE(flags).writeIntLE(type.mode);
      out.writeIntLE((int) (device >>> 32)).writeIntLE((int) device);
      out.writeBytes(bytes).writeByte(0);
    }

    static Place decode(ByteBuf body) throws ProtocolException {
      return new Place(
          body.readIntLE(),
          Type.fromWire(body.readIntLE()),
          FileStatus.device(body.readIntLE(), body.readIntLE()),
          Frame.path("FD_PATH", body));
    }
  }

  private static long notNegative(String what, long number) throws ProtocolException {
    if (number < 0) {
      throw new ProtocolException(what + " " + number + " of a descriptor");
    }
    return number;
  }
}
