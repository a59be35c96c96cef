package qtfs.rexec;

import java.util.Map;
import qtfs.testing.FuzzCorpus;

/** What the fuzzer has kept of this module's inputs. */
final class FuzzCorpusTest extends FuzzCorpus {
  FuzzCorpusTest() {
    super(
        Map.ofEntries(
            Map.entry("MessageCodecFuzz", MessageCodecFuzz::fuzzerTestOneInput),
            Map.entry("MessageChannelFuzz", MessageChannelFuzz::fuzzerTestOneInput),
            Map.entry("FilesJsonFuzz", FilesJsonFuzz::fuzzerTestOneInput),
            Map.entry("WishesJsonFuzz", WishesJsonFuzz::fuzzerTestOneInput),
            Map.entry("ExplainWishFuzz", ExplainWishFuzz::fuzzerTestOneInput),
            Map.entry("ServerSessionFuzz", ServerSessionFuzz::fuzzerTestOneInput),
            Map.entry("ClientFuzz", ClientFuzz::fuzzerTestOneInput)));
  }
}
