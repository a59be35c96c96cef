package qtfs.qtcfg;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;

/**
 * Standard output and standard error of a program that prints byte strings.
 *
 * <p>Output is gathered and written in one piece, at the latest before a line of standard error, so
 * that a terminal shows both in order. One thread.
 */
final class Console {
  private static final int GATHERED = 1 << 16;

  private final StringBuilder gathered = new StringBuilder();
  private boolean broken;

  /** Gathers output. */
  Console print(String byteString) {
    gathered.append(byteString);
    if (gathered.length() > GATHERED) {
      flush();
    }
    return this;
  }

  /** Gathers output and ends its line. */
  void println(String byteString) {
    print(byteString).print("\n");
  }

  /** Writes a line of standard error. */
  void error(String byteString) {
    flush();
    write(FileDescriptor.err, byteString + "\n");
  }

  /** Writes what is gathered. */
  void flush() {
    if (!gathered.isEmpty()) {
      broken |= !write(FileDescriptor.out, gathered.toString());
      gathered.setLength(0);
    }
  }

  /** Whether output was lost: nobody reads it, or the disk is full. */
  boolean isBroken() {
    return broken;
  }

  @SuppressWarnings("resource") // the descriptors are the process's
  private static boolean write(FileDescriptor to, String byteString) {
    try {
      new FileOutputStream(to).write(byteString.getBytes(ISO_8859_1));
      return true;
    } catch (IOException _) {
      return false;
    }
  }
}
