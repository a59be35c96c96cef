package qtfs.rexec;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.List;

/**
 * Fuzz target: the wishes beside a list of files are values that can be written and read again the
 * same, or a {@link ProtocolException}.
 */
public final class WishesJsonFuzz {
  private WishesJsonFuzz() {}

  /** Called by the fuzzer, and for each kept input by {@link FuzzCorpusTest}. */
  public static void fuzzerTestOneInput(byte[] input) throws ProtocolException {
    Wishes wishes;
    try {
      wishes = WishesJson.read(new String(input, ISO_8859_1));
    } catch (ProtocolException e) {
      return;
    }
    if (!WishesJson.read(FilesJson.write(List.of(), wishes)).equals(wishes)
        || (wishes.cwd() != null && !wishes.cwd().startsWith("/"))
        || wishes.environment().stream().anyMatch(variable -> variable.indexOf('\0') >= 0)
        || wishes.descriptors().stream().distinct().count() != wishes.descriptors().size()) {
      throw new AssertionError(wishes);
    }
  }
}
