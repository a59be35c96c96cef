package qtfs.qtcfg;

import java.util.Map;
import qtfs.testing.FuzzCorpus;

/** What the fuzzer has kept of this module's inputs. */
final class FuzzCorpusTest extends FuzzCorpus {
  FuzzCorpusTest() {
    super(Map.ofEntries(Map.entry("QtInfoFuzz", QtInfoFuzz::fuzzerTestOneInput)));
  }
}
