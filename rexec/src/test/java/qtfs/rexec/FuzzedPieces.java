package qtfs.rexec;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import qtfs.linux.Fd;
import qtfs.linux.MessageIo;

/**
 * An input of a fuzz target that is sent over a socket: pieces, each in a message of its own and
 * with so many descriptors.
 *
 * <pre>
 * 0  u8  how many descriptors, the lower two bits   1  u8 length   2  so many bytes   ... and again
 * </pre>
 */
final class FuzzedPieces {
  private final List<byte[]> pieces = new ArrayList<>();
  private final List<Integer> counts = new ArrayList<>();

  FuzzedPieces(byte[] input) {
    for (int at = 0; at + 2 < input.length; ) {
      int from = at + 2;
      int to = Math.min(input.length, from + Byte.toUnsignedInt(input[at + 1]));
      counts.add(input[at] & 3);
      pieces.add(Arrays.copyOfRange(input, from, to));
      at = to;
    }
  }

  /** All bytes, however they are cut. */
  byte[] bytes() {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    pieces.forEach(all::writeBytes);
    return all.toByteArray();
  }

  /** Sends them, as long as somebody is there. */
  void send(Fd socket, Fd passed) {
    try (Arena arena = Arena.ofConfined();
        MessageIo io = MessageIo.ofThisThreadNeverWaiting()) {
      MemorySegment space = arena.allocate(256);
      for (int i = 0; i < pieces.size(); i++) {
        byte[] piece = pieces.get(i);
        MemorySegment.copy(piece, 0, space, ValueLayout.JAVA_BYTE, 0, piece.length);
        if (piece.length > 0) {
          io.piece(0, space.address(), piece.length);
          long ignored =
              io.send(socket, 1, List.of(passed, passed, passed).subList(0, counts.get(i)));
        }
      }
    }
  }

  /** Whether a log holds something that is no line. */
  static boolean hasControl(String log) {
    for (int i = 0; i < log.length(); i++) {
      if (log.charAt(i) < ' ' && log.charAt(i) != '\n') {
        return true;
      }
    }
    return false;
  }
}
