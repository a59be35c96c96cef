package qtfs.udsproxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Arrays;
import qtfs.linux.UnixSocket;
import qtfs.udsproxy.connector.ConnectRequest;
import qtfs.udsproxy.connector.InvalidRequestException;

/**
 * Fuzz target: the text of an {@code --expose} is an {@link Exposure} that can be carried out, its
 * request on the wire the path that was named, or an {@link Exposure.SpecException}.
 */
public final class ExposureFuzz {
  private ExposureFuzz() {}

  /** Called by the fuzzer, and for each kept input by {@link FuzzCorpusTest}. */
  public static void fuzzerTestOneInput(byte[] input) {
    expose(new String(input, UTF_8));
  }

  /** The same with a text, of which not every one has bytes. */
  static void expose(String spec) {
    // The host's directory of users is not asked a thousand times a second.
    if (spec.contains("owner=") || spec.contains("group=")) {
      return;
    }
    Exposure exposure;
    try {
      exposure = Exposure.parse(spec);
    } catch (Exposure.SpecException e) {
      return;
    }
    String local = exposure.local().toString();
    ConnectRequest target = exposure.target();
    try {
      if (!ConnectRequest.decode(target.encode()).equals(target)
          || !isOfTheTypeToldBy(spec, exposure)
          || !spec.startsWith(target.path())
          || !exposure.local().isAbsolute()
          || Arrays.asList(local.split("/")).contains("..")
          || local.getBytes(UTF_8).length >= UnixSocket.SUN_PATH_LENGTH
          || (exposure.mode() & ~0777) != 0) {
        throw new AssertionError(exposure);
      }
    } catch (InvalidRequestException e) {
      throw new AssertionError(exposure.toString(), e);
    }
  }

  private static boolean isOfTheTypeToldBy(String spec, Exposure exposure) {
    return spec.contains(",type=")
        ? spec.contains(",type=" + exposure.typeWord())
        : exposure.target().type() == UnixSocket.Type.STREAM;
  }
}
