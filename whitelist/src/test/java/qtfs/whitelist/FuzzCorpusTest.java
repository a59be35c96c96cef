package qtfs.whitelist;

import java.util.Map;
import qtfs.testing.FuzzCorpus;

/** What the fuzzer has kept of this module's inputs. */
final class FuzzCorpusTest extends FuzzCorpus {
  FuzzCorpusTest() {
    super(
        Map.of(
            "QtfsWhitelistFuzz", QtfsWhitelistFuzz::fuzzerTestOneInput,
            "RexecWhitelistFuzz", RexecWhitelistFuzz::fuzzerTestOneInput,
            "RexecPoliciesFuzz", RexecPoliciesFuzz::fuzzerTestOneInput,
            "RexecConfigFuzz", RexecConfigFuzz::fuzzerTestOneInput));
  }
}
