package qtfs.rexec;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.List;

/**
 * Fuzz target: a list of files is what its documentation says, written and read again the same, its
 * paths such that their bytes lead to no other file, or a {@link ProtocolException}.
 */
public final class FilesJsonFuzz {
  private FilesJsonFuzz() {}

  /** Called by the fuzzer, and for each kept input by {@link FuzzCorpusTest}. */
  public static void fuzzerTestOneInput(byte[] input) throws ProtocolException {
    List<InheritedFile> files;
    try {
      files = FilesJson.read(new String(input, ISO_8859_1));
    } catch (ProtocolException e) {
      return;
    }
    for (InheritedFile file : files) {
      if (!file.path().startsWith("/")
          || file.path().indexOf('\0') >= 0
          || !UTF_8.newEncoder().canEncode(file.path())
          || file.number() < FilesJson.MIN_NUMBER
          || file.number() > FilesJson.MAX_NUMBER
          || file.offset() < 0) {
        throw new AssertionError(file);
      }
    }
    if (!FilesJson.read(FilesJson.write(files, Wishes.NONE)).equals(files)) {
      throw new AssertionError(files);
    }
  }
}
