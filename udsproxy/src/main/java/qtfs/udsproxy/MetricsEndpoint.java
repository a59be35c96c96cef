package qtfs.udsproxy;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import qtfs.linux.Fd;
import qtfs.linux.UnixListener;

/**
 * Where metrics are scraped: a unix socket that only the owner may connect to, and an address if
 * one is given. No more than {@value #CONNECTIONS} connections at once, so that who asks and does
 * not read cannot use the descriptors up. On the first loop, but for {@link #bind}.
 */
final class MetricsEndpoint {
  static final String SOCKET = "metrics.sock";

  private static final int BACKLOG = 16;
  private static final int CONNECTIONS = 32;

  private final ProxyLoop loop;
  private final MetricsExporter exporter;
  private final AtomicInteger connections = new AtomicInteger();

  MetricsEndpoint(ProxyLoop loop, MetricsExporter exporter) {
    this.loop = loop;
    this.exporter = exporter;
  }

  /** Listens in the run directory; on the loop. */
  Acceptor listen(Path directory) throws IOException {
    return Acceptor.start(
        loop.eventLoop(), UnixListener.bind(directory.resolve(SOCKET), BACKLOG), this::serve);
  }

  private void serve(Fd connection) {
    Channel channel = new EpollDomainSocketChannel(connection.release());
    EventLoop eventLoop = loop.eventLoop();
    eventLoop.register(channel);
    admit(channel);
  }

  private void admit(Channel channel) {
    channel.closeFuture().addListener(_ -> connections.decrementAndGet());
    if (connections.incrementAndGet() > CONNECTIONS) {
      channel.close();
    } else {
      channel.pipeline().addLast(new ScrapeHandler(exporter));
    }
  }

  /**
   * Listens on an address too; on any other thread than the loop's.
   *
   * @throws StartException if it cannot
   */
  Channel bind(InetSocketAddress address) throws StartException {
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(loop.eventLoop())
            .channelFactory(Transport.TCP::listening)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    admit(channel);
                  }
                });
    try {
      return bootstrap.bind(address).syncUninterruptibly().channel();
    } catch (Exception e) {
      // Netty throws what the bind failed with, checked or not.
      throw new StartException(
          "cannot show metrics on "
              + SessionEntry.text(address)
              + ": "
              + e.getMessage()
              + "; is the address this host's own, and is the port free?");
    }
  }
}
