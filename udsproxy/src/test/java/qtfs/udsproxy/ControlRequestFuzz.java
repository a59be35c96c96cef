package qtfs.udsproxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Fuzz target: a line to the control socket is a request or an {@link IOException} with a text, and
 * what it wants exposed can be or is refused with a text; an answer is an object or an {@link
 * IOException}.
 */
public final class ControlRequestFuzz {
  private ControlRequestFuzz() {}

  /** Called by the fuzzer, and for each kept input by {@link FuzzCorpusTest}. */
  public static void fuzzerTestOneInput(byte[] input) {
    request(input);
    try {
      Map<String, @Nullable Object> object = Json.object(new String(input, UTF_8));
      assertIsText(object.toString());
    } catch (IOException e) {
      assertIsText(e.getMessage());
    }
  }

  private static void request(byte[] line) {
    try {
      switch (ControlRequest.parse(line)) {
        case ControlRequest.Expose(String spec) -> ExposureFuzz.expose(spec);
        case ControlRequest.Unexpose(String local) -> assertIsText(local);
        case ControlRequest.LogLevel(var level) -> assertIsText(level.name());
        case ControlRequest.Exposed _,
            ControlRequest.Sessions _,
            ControlRequest.Status _,
            ControlRequest.Drain _ -> {}
      }
    } catch (IOException e) {
      assertIsText(e.getMessage());
    }
  }

  private static void assertIsText(@Nullable String text) {
    if (text == null) {
      throw new AssertionError("says nothing");
    }
  }
}
