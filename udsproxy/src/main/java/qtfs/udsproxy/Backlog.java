package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The memory that waits for slow readers, of all connections together, so that thousands of them
 * cannot use it up. For any thread.
 *
 * <pre>
 * below three quarters   each may hold what its own limit allows
 * from there on          one that holds nothing reads a little, the others wait for their peers
 * full                   messages, which cannot be read by pieces, wait too
 * </pre>
 *
 * So whoever has a reader goes on, slower, however many others have none.
 */
final class Backlog {
  private final Statistics statistics;
  private final long most;
  private final AtomicLong held = new AtomicLong();
  private final Queue<Share> waiting = new ConcurrentLinkedQueue<>();

  /**
   * Bounds the memory.
   *
   * @param most bytes of buffers
   */
  Backlog(Statistics statistics, long most) {
    this.statistics = statistics;
    this.most = most;
  }

  /** Bytes of buffers that wait now. */
  long held() {
    return held.get();
  }

  /** Whether there is little left, so that everybody has to be frugal. */
  boolean isScarce() {
    return held.get() >= most - most / 4;
  }

  private boolean isFull() {
    return held.get() >= most;
  }

  private void wakeOne() {
    if (!waiting.isEmpty() && !isFull()) {
      Share next = waiting.poll();
      if (next != null) {
        next.wake();
      }
    }
  }

  /**
   * The part of one connection. On its loop's thread.
   *
   * @param goOn called when there is room again, after a refusal
   */
  Share share(ProxyLoop loop, Runnable goOn) {
    return new Share(loop, goOn);
  }

  /** What one connection holds, one way: what waits for the one side says nothing of the other. */
  final class Share {
    private final ProxyLoop loop;
    private final Runnable goOn;
    private long mine;
    private long received;
    private boolean refused; // to be told when nothing is held any more
    private boolean queued; // to be told when others hold less

    private Share(ProxyLoop loop, Runnable goOn) {
      this.loop = loop;
      this.goOn = goOn;
    }

    /** Whether the connection may read more for a peer; if not, it is told when. */
    boolean mayRead(boolean wholeMessages) {
      if (!isScarce()) {
        return true;
      }
      if (mine > 0) {
        if (!refused) {
          refused = true;
          statistics.hit(Limit.MAX_BUFFERED_TOTAL);
        }
        return false;
      }
      return !wholeMessages || mayReadMessage();
    }

    private boolean mayReadMessage() {
      if (!isFull()) {
        return true;
      }
      if (!queued) {
        queued = true;
        statistics.hit(Limit.MAX_BUFFERED_TOTAL);
        waiting.add(this);
        wakeOne(); // if it has become less meanwhile, nobody else would
      }
      return false;
    }

    /** Writes to a channel, taking a buffer over, and holds it until the kernel has it. */
    void write(Channel channel, ByteBuf buffer) {
      int size = buffer.capacity();
      take(size);
      channel.write(buffer).addListener(_ -> free(size));
    }

    /** Whether more memory may be taken by what cannot wait. */
    boolean hasRoom() {
      return !isFull();
    }

    /** Says what has been received and waits now, instead of what did before. */
    void waiting(Iterable<ByteBuf> buffers) {
      long bytes = 0;
      for (ByteBuf buffer : buffers) {
        bytes += buffer.capacity();
      }
      if (bytes != received) {
        long more = bytes - received;
        received = bytes;
        held.addAndGet(more);
        wakeOne();
      }
    }

    private void take(long bytes) {
      mine += bytes;
      held.addAndGet(bytes);
    }

    private void free(long bytes) {
      mine -= bytes;
      held.addAndGet(-bytes);
      if (refused && mine == 0) {
        refused = false;
        loop.eventLoop().execute(goOn);
      }
      wakeOne();
    }

    private void wake() {
      loop.eventLoop()
          .execute(
              () -> {
                queued = false;
                goOn.run();
                wakeOne(); // whoever is next, if there is still room
              });
    }
  }
}
