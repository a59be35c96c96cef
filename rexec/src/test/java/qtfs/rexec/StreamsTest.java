package qtfs.rexec;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.Pipe;

/** Whose pipe the program reads its input from. */
final class StreamsTest {
  /** A C udsproxyd on the way can die of a pipe that has ended, or wait for the reader of one. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aPipeIsPassedOnWhereTheWayKeepsIt(boolean keepsPipes) throws Exception {
    try (Pipe pipe = Pipe.open();
        Streams streams = new Streams(callerWith(pipe.read()), keepsPipes)) {
      boolean passedOn =
          FileStatus.of(streams.programsStdin()).sameFile(FileStatus.of(pipe.read()));
      assertThat(passedOn).isEqualTo(keepsPipes);
      // Their threads close the other ends as soon as the program's are.
      streams.outputs().start();
    }
  }

  private static Caller callerWith(Fd stdin) {
    return new OwnProcess(0, stdin, null, null, List.of(), new ClientSignals());
  }
}
