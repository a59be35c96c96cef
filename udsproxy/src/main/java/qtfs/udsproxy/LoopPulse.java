package qtfs.udsproxy;

import io.netty.util.concurrent.Future;
import java.util.List;

/**
 * Whether every event loop answers: each is asked, and the next time it is looked at whether all
 * have. Waits for none. One thread.
 */
final class LoopPulse {
  private final List<ProxyLoop> loops;
  private List<? extends Future<?>> asked;

  LoopPulse(List<ProxyLoop> loops) {
    this.loops = loops;
    this.asked = ask();
  }

  private List<? extends Future<?>> ask() {
    return loops.stream().map(loop -> loop.eventLoop().submit(() -> {})).toList();
  }

  /** Whether all have answered since this was last true. */
  boolean isThere() {
    boolean all = asked.stream().allMatch(Future::isDone);
    if (all) {
      asked = ask();
    }
    return all;
  }
}
