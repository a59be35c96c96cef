package qtfs.rexec;

import java.time.Duration;
import qtfs.linux.Fd;
import qtfs.linux.Poll;

/**
 * How a thread waits for descriptors: as poll(2) does, or with something else going on meanwhile.
 */
interface Waiting {
  /** As {@link Poll#readable(Duration, Fd...)}. */
  int[] readable(Duration timeout, Fd... fds);

  /** With nothing else. */
  final class Plain implements Waiting {
    @Override
    public int[] readable(Duration timeout, Fd... fds) {
      return Poll.readable(timeout, fds);
    }
  }
}
