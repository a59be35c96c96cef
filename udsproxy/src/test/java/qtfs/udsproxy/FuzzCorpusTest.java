package qtfs.udsproxy;

import java.util.Map;
import qtfs.testing.FuzzCorpus;
import qtfs.udsproxy.connector.ConnectRequestFuzz;

/** What the fuzzer has kept of this module's inputs. */
final class FuzzCorpusTest extends FuzzCorpus {
  FuzzCorpusTest() {
    super(
        Map.ofEntries(
            Map.entry("FrameReaderFuzz", FrameReaderFuzz::fuzzerTestOneInput),
            Map.entry("PeerRequestFuzz", PeerRequestFuzz::fuzzerTestOneInput),
            Map.entry("PeerConnectionFuzz", PeerConnectionFuzz::fuzzerTestOneInput),
            Map.entry("RequesterFuzz", RequesterFuzz::fuzzerTestOneInput),
            Map.entry("SessionFuzz", SessionFuzz::fuzzerTestOneInput),
            Map.entry("ControlRequestFuzz", ControlRequestFuzz::fuzzerTestOneInput),
            Map.entry("ExposureFuzz", ExposureFuzz::fuzzerTestOneInput),
            Map.entry("ConnectRequestFuzz", ConnectRequestFuzz::fuzzerTestOneInput)));
  }
}
