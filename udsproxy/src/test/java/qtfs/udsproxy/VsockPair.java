package qtfs.udsproxy;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.UnixSocket;
import qtfs.udsproxy.connector.ConnectRequest;

/**
 * Links between two proxies as vsock channels make them, on socketpairs instead of vsock: for
 * machines whose kernel has no vsock of its own. All but the connecting itself is real.
 */
final class VsockPair {
  private VsockPair() {}

  /** A link that the proxy has accepted, as its peer has it. */
  static Fd accepted(Shared shared) throws IOException {
    UnixSocket.Pair link = UnixSocket.pair();
    ProxyLoop loop = shared.chooseLoop();
    Channel channel = channel(link.second(), loop);
    loop.eventLoop().execute(() -> PeerConnection.start(shared, channel));
    return link.first();
  }

  /** An application of A's, connected by such a link to a socket of B's. */
  static Fd connect(ProxyPair proxies, Path target) throws IOException {
    Shared a = proxies.a().shared();
    UnixSocket.Pair application = UnixSocket.pair();
    Fcntl.statusFlags(application.second(), Fd.O_RDWR | Fd.O_NONBLOCK);
    ProxyLoop loop = a.chooseLoop();
    Channel channel = channel(accepted(proxies.b().shared()), loop);
    channel.pipeline().addLast(new Asking(a, loop, application.second()));
    ByteBuf request = channel.alloc().directBuffer();
    new PeerRequest.Uds(new ConnectRequest(UnixSocket.Type.STREAM, target.toString()), Dialect.V1)
        .encode(request);
    channel.writeAndFlush(request);
    channel.read();
    return application.first();
  }

  private static Channel channel(Fd end, ProxyLoop loop) throws IOException {
    Fcntl.statusFlags(end, Fd.O_RDWR | Fd.O_NONBLOCK);
    Bootstrap bootstrap =
        new Bootstrap()
            .group(loop.eventLoop())
            .channelFactory(() -> new VsockChannel(null, end.number()))
            .handler(new ChannelInboundHandlerAdapter());
    Backlog backlog = new Backlog(new Statistics(), Limits.DEFAULT.bufferedInAll());
    Transport.VSOCK.options(Limits.DEFAULT, backlog).forEach(option -> option.applyTo(bootstrap));
    return bootstrap.register().syncUninterruptibly().channel();
  }

  /** Waits for the answer, which comes alone, and begins the session. */
  private static final class Asking extends ChannelInboundHandlerAdapter {
    private final Shared shared;
    private final ProxyLoop loop;
    private final Fd unix;

    Asking(Shared shared, ProxyLoop loop, Fd unix) {
      this.shared = shared;
      this.loop = loop;
      this.unix = unix;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
      ByteBuf answer = (ByteBuf) message;
      answer.skipBytes(PeerRequest.ANSWER_LENGTH);
      ctx.pipeline().remove(this);
      SessionEntry entry =
          new SessionEntry(
              shared.statistics(),
              SessionInfo.Direction.OUTGOING,
              "/a",
              null,
              ctx.channel(),
              Dialect.V1,
              shared.places().take(SessionInfo.Direction.OUTGOING));
      Link link = new Link(ctx.channel(), Dialect.V1, List.of(answer), false);
      Session.start(shared, loop, entry, link, unix, UnixSocket.Type.STREAM);
    }
  }
}
