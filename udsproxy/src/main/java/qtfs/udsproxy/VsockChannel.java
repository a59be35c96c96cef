package qtfs.udsproxy;

import io.netty.channel.Channel;
import io.netty.channel.epoll.AbstractEpollStreamChannel;
import io.netty.channel.epoll.EpollChannelConfig;
import io.netty.channel.epoll.EpollIoOps;
import io.netty.channel.epoll.LinuxSocket;
import io.netty.channel.epoll.VSockAddress;
import java.io.IOException;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * A stream of vsock, for Netty, which has the system calls and no channel; like its channel of TCP
 * otherwise. Always allows half-closure. For {@link io.netty.bootstrap.Bootstrap} and {@link
 * VsockServerChannel}.
 */
final class VsockChannel extends AbstractEpollStreamChannel {
  private final VsockChannelConfig config = new VsockChannelConfig(this);

  /** Not connected yet. */
  VsockChannel() {
    super(LinuxSocket.newVSockStream(), false);
  }

  /**
   * A connection that there is.
   *
   * @param fd does not block; taken over
   */
  VsockChannel(@Nullable Channel parent, int fd) {
    super(parent, fd);
  }

  @Override
  public EpollChannelConfig config() {
    return config;
  }

  @Override
  protected @Nullable SocketAddress localAddress0() {
    return socket.localVSockAddress();
  }

  @Override
  protected @Nullable SocketAddress remoteAddress0() {
    return socket.remoteVSockAddress();
  }

  @Override
  protected boolean doConnect(SocketAddress remote, @Nullable SocketAddress local)
      throws IOException {
    boolean connected = socket.connectVSock((VSockAddress) remote);
    if (!connected) {
      setFlag(EpollIoOps.EPOLLOUT.value());
    }
    return connected;
  }
}
