package qtfs.udsproxy;

import io.netty.util.internal.PlatformDependent;
import java.time.Duration;

/**
 * How much the proxy takes on. Times that it waits for others are in {@link Deadlines}.
 *
 * @param sessions at once, those included whose request is complete and which are not connected yet
 * @param sessionsPerPeer those of them that the peer may have asked for
 * @param idle after which a session without a byte either way is ended; zero for never
 * @param buffered bytes of one session that may wait for the peer before its application is not
 *     read any more. One read, up to 96 KiB, may come on top; the other way at most one read waits,
 *     of no more than this or 128 KiB.
 * @param bufferedInAll bytes of buffers that may wait for slow readers, those of all sessions and
 *     both ways; see {@link Backlog}
 * @param link after which a link whose other host answers nothing is ended
 */
public record Limits(
    int sessions,
    int sessionsPerPeer,
    Duration idle,
    int buffered,
    long bufferedInAll,
    Duration link) {
  /**
   * Two descriptors a session: as many as {@code RLIMIT_NOFILE} of the deployed daemon, 65536, is
   * good for, with as many again for pipes and files; a quarter is kept from the peer, so that it
   * cannot keep this host's own applications out. Half of the memory outside the heap may wait: the
   * other half is for what each session needs to go on, and for what the allocator keeps.
   */
  public static final Limits DEFAULT =
      new Limits(
          16384,
          12288,
          Duration.ZERO,
          256 * 1024,
          PlatformDependent.maxDirectMemory() / 2,
          Duration.ofSeconds(90));

  boolean endsIdle() {
    return idle.isPositive();
  }
}
