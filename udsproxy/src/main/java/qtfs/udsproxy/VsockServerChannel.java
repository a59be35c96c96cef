package qtfs.udsproxy;

import io.netty.channel.Channel;
import io.netty.channel.epoll.AbstractEpollServerChannel;
import io.netty.channel.epoll.EpollChannelConfig;
import io.netty.channel.epoll.LinuxSocket;
import io.netty.channel.epoll.VSockAddress;
import java.io.IOException;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/** A vsock socket that listens, and accepts {@link VsockChannel}s; for Netty. */
final class VsockServerChannel extends AbstractEpollServerChannel {
  private static final class Config extends EpollChannelConfig {
    Config(VsockServerChannel channel) {
      super(channel);
    }
  }

  private final Config config = new Config(this);

  /** Not bound yet. */
  VsockServerChannel() {
    super(LinuxSocket.newVSockStream(), false);
  }

  /**
   * One that listens already.
   *
   * @param fd does not block; taken over
   */
  VsockServerChannel(int fd) {
    super(fd);
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
  protected void doBind(SocketAddress address) throws IOException {
    socket.bindVSock((VSockAddress) address);
    socket.listen(Transport.BACKLOG);
    active = true;
  }

  /** What Netty takes for the address is one of IP: the socket knows better. */
  @Override
  protected Channel newChildChannel(int fd, byte[] address, int offset, int length) {
    return new VsockChannel(this, fd);
  }
}
