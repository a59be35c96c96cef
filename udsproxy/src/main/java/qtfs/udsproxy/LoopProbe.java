package qtfs.udsproxy;

import io.netty.channel.IoEventLoop;
import java.util.concurrent.TimeUnit;
import qtfs.udsproxy.metrics.Histogram;

/**
 * Measures how late an event loop is: once a second it sets itself a time and notes how much later
 * it was called. On the loop's thread, until the loop ends.
 */
final class LoopProbe {
  private static final long PERIOD = 1_000_000_000;

  private final IoEventLoop loop;
  private final Histogram lag;
  private long due; // System.nanoTime()

  private LoopProbe(IoEventLoop loop, Histogram lag) {
    this.loop = loop;
    this.lag = lag;
  }

  static void start(ProxyLoop loop, Histogram lag) {
    LoopProbe probe = new LoopProbe(loop.eventLoop(), lag);
    loop.eventLoop().execute(probe::next);
  }

  private void next() {
    due = System.nanoTime() + PERIOD;
    loop.schedule(this::look, PERIOD, TimeUnit.NANOSECONDS);
  }

  private void look() {
    lag.record(Math.max(0, System.nanoTime() - due));
    next();
  }
}
