package qtfs.udsproxy;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.ServerChannel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.unix.UnixChannel;
import java.util.ArrayList;
import java.util.List;
import qtfs.linux.Fcntl;
import qtfs.linux.LinuxException;

/**
 * The kind of sockets between two proxies: makes them, and says how they are set. What it makes is
 * the caller's to register or close.
 */
enum Transport {
  TCP,
  VSOCK;

  static final int BACKLOG = 4096;

  /** Bytes that one read of the link takes: it starts in the middle, and learns. */
  private static final int LEAST_READ = 2048;

  private static final int FIRST_READ = 16 * 1024;
  private static final int MOST_READ = 128 * 1024;

  static Transport of(Endpoint end) {
    return switch (end) {
      case Endpoint.Tcp _ -> TCP;
      case Endpoint.Vsock _ -> VSOCK;
    };
  }

  /** A socket to listen with. */
  ServerChannel listening() {
    return switch (this) {
      case TCP -> {
        EpollServerSocketChannel channel = closeOnExec(new EpollServerSocketChannel());
        channel.config().setBacklog(BACKLOG).setReuseAddress(true);
        yield channel;
      }
      case VSOCK -> closeOnExec(new VsockServerChannel());
    };
  }

  /**
   * A socket that listens already.
   *
   * @param fd does not block; taken over
   */
  ServerChannel listening(int fd) {
    return switch (this) {
      case TCP -> new EpollServerSocketChannel(fd);
      case VSOCK -> new VsockServerChannel(fd);
    };
  }

  /** A socket to connect with. */
  Channel connecting() {
    return switch (this) {
      case TCP -> closeOnExec(new EpollSocketChannel());
      case VSOCK -> closeOnExec(new VsockChannel());
    };
  }

  /** Netty opens sockets that a program started by this process would have too. */
  private static <C extends UnixChannel> C closeOnExec(C channel) {
    try {
      Fcntl.closeOnExec(channel.fd().intValue(), true);
      return channel;
    } catch (LinuxException e) {
      throw new IllegalStateException("a new socket that is none", e);
    }
  }

  /** An option of the sockets between the two proxies, on whichever side it was opened. */
  record SocketOption<T>(ChannelOption<T> option, T value) {
    void applyTo(Bootstrap bootstrap) {
      bootstrap.option(option, value);
    }

    void applyTo(Channel channel) {
      channel.config().setOption(option, value);
    }
  }

  /** Reading goes on when three quarters have gone to the peer. */
  private static WriteBufferWaterMark waterMark(Limits limits) {
    return new WriteBufferWaterMark(limits.buffered() / 4, limits.buffered());
  }

  /**
   * What one read of the link takes at most. Each costs a wakeup of this process and one of the
   * application; twice as much was not measured to be faster.
   */
  private static int mostRead(Limits limits) {
    return Math.clamp(limits.buffered(), FIRST_READ, MOST_READ);
  }

  /** The options of every socket between the two proxies. */
  List<SocketOption<?>> options(Limits limits, Backlog backlog) {
    List<SocketOption<?>> options =
        new ArrayList<>(
            List.of(
                new SocketOption<>(ChannelOption.AUTO_READ, false),
                new SocketOption<>(ChannelOption.WRITE_BUFFER_WATER_MARK, waterMark(limits)),
                new SocketOption<>(
                    ChannelOption.RECVBUF_ALLOCATOR,
                    new FrugalReceiving(
                        new AdaptiveRecvByteBufAllocator(LEAST_READ, FIRST_READ, mostRead(limits)),
                        backlog))));
    switch (this) {
      case TCP -> options.addAll(tcpOptions(limits.link().toSeconds()));
      case VSOCK -> {} // A machine that is gone is reported by the hypervisor.
    }
    return options;
  }

  /**
   * No delay is Netty's own default. Keepalive asks a silent peer; {@link DeadLinks} ends the link,
   * before the kernel would.
   */
  private static List<SocketOption<?>> tcpOptions(long timeout) {
    return List.of(
        new SocketOption<>(ChannelOption.ALLOW_HALF_CLOSURE, true),
        new SocketOption<>(ChannelOption.SO_KEEPALIVE, true),
        new SocketOption<>(EpollChannelOption.TCP_KEEPIDLE, seconds(timeout / 3)),
        new SocketOption<>(EpollChannelOption.TCP_KEEPINTVL, seconds(timeout / 9)),
        new SocketOption<>(EpollChannelOption.TCP_KEEPCNT, 9));
  }

  private static int seconds(long wanted) {
    return (int) Math.max(1, wanted);
  }
}
