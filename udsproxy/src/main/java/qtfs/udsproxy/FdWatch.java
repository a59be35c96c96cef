package qtfs.udsproxy;

import io.netty.channel.IoEvent;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoRegistration;
import io.netty.channel.epoll.EpollIoEvent;
import io.netty.channel.epoll.EpollIoHandle;
import io.netty.channel.epoll.EpollIoOps;
import io.netty.channel.unix.FileDescriptor;

/**
 * A descriptor on an event loop, edge-triggered: the listener is told when it <em>becomes</em>
 * readable, and while {@link #wantWritable} when it becomes writable, and reads or writes until
 * EAGAIN. So nothing is armed or disarmed while data flows, and an end that has hung up while
 * nobody can take its bytes does not spin the loop.
 *
 * <p>All calls on the loop's thread. The descriptor stays the caller's, who cancels the watch
 * before closing it.
 */
final class FdWatch implements EpollIoHandle {
  /** What happened to the descriptor. */
  interface Listener {
    /**
     * Called on the loop's thread.
     *
     * @param readable bytes, or the end, or an error to be read
     * @param writable room to write
     * @param ended the other side sends no more: EPOLLRDHUP, or hung up
     * @param hungUp the other side is gone altogether: EPOLLHUP or EPOLLERR
     */
    void ready(boolean readable, boolean writable, boolean ended, boolean hungUp);
  }

  private static final int EPOLLERR = 8; // sys/epoll.h
  private static final int EPOLLHUP = 16;
  private static final EpollIoOps READ =
      EpollIoOps.EPOLLIN.with(EpollIoOps.EPOLLRDHUP).with(EpollIoOps.EPOLLET);
  private static final EpollIoOps READ_WRITE = READ.with(EpollIoOps.EPOLLOUT);

  private final FileDescriptor descriptor;
  private final Listener listener;
  private final IoRegistration registration;
  private boolean wantsWritable;

  private FdWatch(IoEventLoop loop, int number, Listener listener) {
    this.descriptor = new FileDescriptor(number);
    this.listener = listener;
    // On its own thread a loop registers at once.
    this.registration = loop.register(this).getNow();
    submit(READ);
  }

  /** Begins to watch a descriptor for readability. */
  static FdWatch start(IoEventLoop loop, int number, Listener listener) {
    if (!loop.inEventLoop()) {
      throw new IllegalStateException("not on the loop's thread");
    }
    return new FdWatch(loop, number, listener);
  }

  /** Whether the listener is to be told that there is room to write. */
  void wantWritable(boolean wanted) {
    if (wanted != wantsWritable) {
      wantsWritable = wanted;
      submit(wanted ? READ_WRITE : READ);
    }
  }

  private void submit(EpollIoOps ops) {
    registration.submit(ops);
  }

  /** Ends the watch; the listener is not called any more. */
  void cancel() {
    registration.cancel();
  }

  @Override
  public FileDescriptor fd() {
    return descriptor;
  }

  @Override
  public void handle(IoRegistration ignored, IoEvent event) {
    int ops = ((EpollIoEvent) event).ops().value();
    boolean hungUp = (ops & (EPOLLERR | EPOLLHUP)) != 0;
    boolean ended = hungUp || (ops & EpollIoOps.EPOLLRDHUP.value()) != 0;
    boolean readable = ended || (ops & EpollIoOps.EPOLLIN.value()) != 0;
    boolean writable = hungUp || (ops & EpollIoOps.EPOLLOUT.value()) != 0;
    listener.ready(readable, writable, ended, hungUp);
  }

  /** The loop ends: the daemon closes what it holds by itself. */
  @Override
  public void close() {}
}
