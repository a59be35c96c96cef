package qtfs.udsproxy;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.MessageSizeEstimator;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollChannelConfig;
import io.netty.channel.socket.SocketChannelConfig;

/**
 * The settings of a {@link VsockChannel}: those of every channel, with half-closure always allowed.
 *
 * <p>A {@link SocketChannelConfig}, since Netty closes a channel of any other kind as soon as the
 * other side has ended its stream. What only TCP has cannot be set.
 */
final class VsockChannelConfig extends EpollChannelConfig implements SocketChannelConfig {
  VsockChannelConfig(VsockChannel channel) {
    super(channel);
  }

  @Override
  public boolean isAllowHalfClosure() {
    return true;
  }

  @Override
  public VsockChannelConfig setAllowHalfClosure(boolean allow) {
    return allow ? this : unsupported();
  }

  @Override
  public VsockChannelConfig setConnectTimeoutMillis(int millis) {
    super.setConnectTimeoutMillis(millis);
    return this;
  }

  @Override
  @Deprecated
  public VsockChannelConfig setMaxMessagesPerRead(int messages) {
    super.setMaxMessagesPerRead(messages);
    return this;
  }

  @Override
  public VsockChannelConfig setWriteSpinCount(int count) {
    super.setWriteSpinCount(count);
    return this;
  }

  @Override
  public VsockChannelConfig setAllocator(ByteBufAllocator allocator) {
    super.setAllocator(allocator);
    return this;
  }

  @Override
  public VsockChannelConfig setRecvByteBufAllocator(RecvByteBufAllocator allocator) {
    super.setRecvByteBufAllocator(allocator);
    return this;
  }

  @Override
  public VsockChannelConfig setAutoRead(boolean autoRead) {
    super.setAutoRead(autoRead);
    return this;
  }

  @Override
  public VsockChannelConfig setAutoClose(boolean autoClose) {
    super.setAutoClose(autoClose);
    return this;
  }

  @Override
  public VsockChannelConfig setMessageSizeEstimator(MessageSizeEstimator estimator) {
    super.setMessageSizeEstimator(estimator);
    return this;
  }

  @Override
  public VsockChannelConfig setWriteBufferWaterMark(WriteBufferWaterMark mark) {
    super.setWriteBufferWaterMark(mark);
    return this;
  }

  // ---- TCP's

  private static VsockChannelConfig unsupported() {
    throw new UnsupportedOperationException("not a setting of vsock");
  }

  @Override
  public boolean isTcpNoDelay() {
    return true; // nothing is ever held back
  }

  @Override
  public VsockChannelConfig setTcpNoDelay(boolean noDelay) {
    return noDelay ? this : unsupported();
  }

  @Override
  public int getSoLinger() {
    return -1;
  }

  @Override
  public VsockChannelConfig setSoLinger(int seconds) {
    return unsupported();
  }

  @Override
  public int getSendBufferSize() {
    return 0;
  }

  @Override
  public VsockChannelConfig setSendBufferSize(int bytes) {
    return unsupported();
  }

  @Override
  public int getReceiveBufferSize() {
    return 0;
  }

  @Override
  public VsockChannelConfig setReceiveBufferSize(int bytes) {
    return unsupported();
  }

  @Override
  public boolean isKeepAlive() {
    return false;
  }

  @Override
  public VsockChannelConfig setKeepAlive(boolean keepAlive) {
    return unsupported();
  }

  @Override
  public int getTrafficClass() {
    return 0;
  }

  @Override
  public VsockChannelConfig setTrafficClass(int trafficClass) {
    return unsupported();
  }

  @Override
  public boolean isReuseAddress() {
    return false;
  }

  @Override
  public VsockChannelConfig setReuseAddress(boolean reuse) {
    return unsupported();
  }

  @Override
  public VsockChannelConfig setPerformancePreferences(int connecting, int latency, int bandwidth) {
    return unsupported();
  }
}
