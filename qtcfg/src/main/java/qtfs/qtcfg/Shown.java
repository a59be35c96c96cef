package qtfs.qtcfg;

import qtfs.linux.ByteStrings;
import qtfs.linux.Log;

/** Byte strings made fit for a line of a terminal. */
final class Shown {
  private Shown() {}

  /** The same with control characters, and bytes that are no UTF-8, as text; a byte string. */
  static String of(String byteString) {
    return ByteStrings.of(text(byteString));
  }

  /** The same, decoded. */
  static String text(String byteString) {
    return Log.escape(ByteStrings.text(byteString));
  }
}
