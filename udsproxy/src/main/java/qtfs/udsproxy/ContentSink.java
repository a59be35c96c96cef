package qtfs.udsproxy;

import java.io.IOException;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.Memfd;

/**
 * A file in memory that takes the content of one that was passed on the other host. Sealed when it
 * is complete: whoever writes to it is told so, as the other host would not see it. On the loop's
 * thread, whose writes to memory wait for nobody; owns the file.
 */
final class ContentSink {
  private final FdFrame.Content announced;
  private final Fd file;
  private long missing;

  private ContentSink(FdFrame.Content announced, Fd file) {
    this.announced = announced;
    this.file = file;
    this.missing = announced.size();
  }

  static ContentSink open(FdFrame.Content announced) throws LinuxException {
    return new ContentSink(announced, Memfd.create("udsproxyd"));
  }

  /** Takes bytes of the content, at a native address. */
  void write(long address, int length) throws LinuxException {
    for (int written = 0; written < length; ) {
      long count = file.write(address + written, length - written);
      if (count < 0) {
        throw new LinuxException("write to a memfd", (int) -count);
      }
      written += (int) count;
    }
    missing -= length;
  }

  boolean isComplete() {
    return missing == 0;
  }

  /** The file as it was passed, owned by the caller; this is over then. */
  Fd finish() throws IOException {
    try (file) {
      Memfd.seal(file);
      Fd passed = file.reopen(announced.flags() & Reach.FILE_FLAGS);
      try {
        passed.position(announced.offset());
        return passed;
      } catch (LinuxException e) {
        passed.close();
        throw e;
      }
    }
  }

  void close() {
    file.close();
  }
}
