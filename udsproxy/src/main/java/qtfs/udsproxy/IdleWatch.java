package qtfs.udsproxy;

import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * Ends a session through which nothing has gone for {@link Limits#idle}. Its timer runs once an
 * idle time, not once a byte. On the session's loop.
 */
final class IdleWatch {
  private static final Duration MILLISECOND = Duration.ofMillis(1); // the timer's grain

  private final Shared shared;
  private final ProxyLoop loop;
  private final SessionEntry entry;
  private final Consumer<String> end;
  private ScheduledFuture<?> next;

  private IdleWatch(Shared shared, ProxyLoop loop, SessionEntry entry, Consumer<String> end) {
    this.shared = shared;
    this.loop = loop;
    this.entry = entry;
    this.end = end;
    this.next = loop.after(shared.limits().idle(), this::look);
  }

  /**
   * Begins to watch.
   *
   * @param end is given the reason, once at most
   * @return what ends the watch
   */
  static Runnable start(Shared shared, ProxyLoop loop, SessionEntry entry, Consumer<String> end) {
    if (!shared.limits().endsIdle()) {
      return () -> {};
    }
    IdleWatch watch = new IdleWatch(shared, loop, entry, end);
    return () -> watch.next.cancel(false);
  }

  private void look() {
    Duration left = shared.limits().idle().minus(entry.idle());
    if (left.isPositive()) {
      next = loop.after(left.plus(MILLISECOND), this::look);
    } else {
      shared.statistics().hit(Limit.IDLE_TIMEOUT);
      end.accept("nothing went either way for as long as --idle-timeout allows");
    }
  }
}
