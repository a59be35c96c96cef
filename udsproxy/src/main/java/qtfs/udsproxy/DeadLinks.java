package qtfs.udsproxy;

import io.netty.channel.ChannelException;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.epoll.EpollTcpInfo;
import java.net.SocketTimeoutException;
import java.time.Duration;

/**
 * Ends the links of one loop whose other host has answered nothing for {@link Limits#link}, though
 * it was asked: by data, or by a probe of the kernel's. A peer that is there and reads nothing
 * answers probes, so it may stay. On the loop's thread, until the loop ends.
 *
 * <p>By itself the kernel takes a quarter of an hour: while data is on its way there is no
 * keepalive, and the user timeout would end who reads nothing too. Links by vsock are left alone.
 */
final class DeadLinks {
  private static final int LOOKS_IN_A_TIMEOUT = 6;

  /** Of these one or two may be lost, and they come as far apart as two minutes. */
  private static final int PROBES = 3;

  private final Shared shared;
  private final ProxyLoop loop;
  private final Duration timeout;
  private final EpollTcpInfo info = new EpollTcpInfo();

  private DeadLinks(Shared shared, ProxyLoop loop) {
    this.shared = shared;
    this.loop = loop;
    this.timeout = shared.limits().link();
  }

  static void start(Shared shared, ProxyLoop loop) {
    new DeadLinks(shared, loop).next();
  }

  private void next() {
    loop.after(timeout.dividedBy(LOOKS_IN_A_TIMEOUT), this::look);
  }

  private void look() {
    for (Relay relay : shared.relays()) {
      if (relay.loop() == loop && relay.tcp() instanceof EpollSocketChannel link) {
        look(link);
      }
    }
    next();
  }

  private void look(EpollSocketChannel link) {
    Duration silence;
    try {
      link.tcpInfo(info);
      silence = Duration.ofMillis(Math.min(info.lastAckRecv(), info.lastDataRecv()));
    } catch (ChannelException closedMeanwhile) {
      return;
    }
    if (silence.compareTo(timeout) > 0 && isAsked(silence)) {
      shared.statistics().hit(Limit.LINK_TIMEOUT);
      String reason = "the peer's host has not answered for " + silence.toSeconds() + " s";
      link.pipeline().fireExceptionCaught(new SocketTimeoutException(reason));
    }
  }

  /**
   * Whether there should have been an answer. Data that the peer has no room for is sent again at
   * intervals that grow to two minutes: only what is overdue by that measure counts.
   */
  private boolean isAsked(Duration silence) {
    if (info.unacked() == 0) {
      return info.probes() >= PROBES;
    }
    Duration resend = Duration.ofNanos(info.rto() * 1000);
    return silence.compareTo(resend.plus(resend.dividedBy(8))) > 0;
  }
}
