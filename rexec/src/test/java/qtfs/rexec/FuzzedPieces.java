package qtfs.rexec;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
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
        MessageIo io = MessageIo.neverWaiting()) {
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

  /** The numbers of the descriptors of this process. */
  static Set<String> descriptors() {
    String[] numbers = new File("/proc/self/fd").list();
    return new HashSet<>(Arrays.asList(numbers == null ? new String[0] : numbers));
  }

  /** Requires that there are no others than before, but for the class path's. */
  static void assertNoneLeft(Set<String> before) {
    Harness.await("no descriptor more than before, " + before, () -> left(before).isEmpty());
  }

  private static Set<String> left(Set<String> before) {
    Set<String> now = descriptors();
    now.removeAll(before);
    now.removeIf(FuzzedPieces::isTheJvms);
    return now;
  }

  private static boolean isTheJvms(String number) {
    try {
      String file = Files.readSymbolicLink(Path.of("/proc/self/fd/" + number)).toString();
      return file.endsWith(".jar") || file.endsWith("random");
    } catch (IOException e) {
      return true;
    }
  }
}
