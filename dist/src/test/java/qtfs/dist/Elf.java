package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The header of a program or library, as far as tests ask for it. */
final class Elf {
  private static final int MACHINE = 18; // offset of e_machine

  private Elf() {}

  /** For which kind of processor it is, in the numbers of elf(5). */
  static int machine(InputStream file) throws IOException {
    byte[] header = file.readNBytes(MACHINE + Short.BYTES);
    assertThat(header).startsWith(0x7f, 'E', 'L', 'F');
    return ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).getShort(MACHINE);
  }
}
