package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.Collection;
import java.util.List;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.Pipe;

/**
 * Pipes between the hosts: an application has passed one end of a pipe, and the application that
 * got the message reads or writes a pipe of its own host instead, with a connection between the
 * two.
 */
final class PipeRelay {
  private static final String CANNOT_FETCH = "cannot fetch a passed pipe: ";

  private PipeRelay() {}

  /**
   * Makes the pipe that stands in for one of the peer's host and connects it.
   *
   * @return the end to be passed on to the application, owned by the caller
   */
  static Fd fetch(Shared shared, ProxyLoop loop, PipeOwner owner, Frame.ScmPipe passed)
      throws LinuxException {
    Pipe pipe = Pipe.open();
    Fd applications = passed.end() == PipeEnd.READ ? pipe.read() : pipe.write();
    Fd ours = passed.end() == PipeEnd.READ ? pipe.write() : pipe.read();
    try {
      // Both ends of a new pipe are open files of their own: the application's goes on blocking.
      Fcntl.statusFlags(ours, Fcntl.statusFlags(ours) | Fd.O_NONBLOCK);
    } catch (LinuxException e) {
      pipe.close();
      throw e;
    }
    PeerRequest request = new PeerRequest.Pipe(passed.end(), passed.srcfd());
    shared.connectToPeer(
        loop,
        new ChannelInboundHandlerAdapter(),
        connected -> connected(shared, loop, owner, connected, request, ours));
    return applications;
  }

  private static void connected(
      Shared shared,
      ProxyLoop loop,
      PipeOwner owner,
      ChannelFuture connected,
      PeerRequest request,
      Fd ours) {
    if (!connected.isSuccess()) {
      ours.close();
      owner.pipeFailed(CANNOT_FETCH + PeerRequestor.reason(connected.cause()));
      return;
    }
    Channel tcp = connected.channel();
    ByteBuf out = tcp.alloc().directBuffer(Frame.HEADER_LENGTH + PeerRequest.PIPE_LENGTH);
    request.encode(out);
    tcp.writeAndFlush(out)
        .addListener(
            sent -> {
              if (!sent.isSuccess()) {
                owner.pipeFailed(CANNOT_FETCH + PeerRequestor.reason(sent.cause()));
              }
            });
    if (((PeerRequest.Pipe) request).end() == PipeEnd.READ) {
      PipeSink.start(shared, loop, tcp, ours, List.of(), owner);
    } else {
      PipeSource.start(shared, loop, tcp, ours);
    }
  }

  /**
   * A second open file of the same pipe that does not block. The application's own is never told
   * not to: others share it.
   *
   * @param kept the application's end, taken over
   */
  static Fd reopen(PipeEnd end, Fd kept) throws LinuxException {
    try (kept) {
      return kept.reopen(Fd.O_NONBLOCK | (end == PipeEnd.READ ? Fd.O_RDONLY : Fd.O_WRONLY));
    }
  }

  /**
   * Answers the peer's fetching of a pipe end that was passed here, taking everything over.
   *
   * @param ours the end that was passed, which does not block
   * @param early what the peer has already sent
   */
  static void serve(
      Shared shared,
      ProxyLoop loop,
      Channel tcp,
      PipeEnd end,
      Fd ours,
      Collection<ByteBuf> early,
      PipeOwner owner) {
    switch (end) {
      case READ -> {
        early.forEach(ByteBuf::release);
        PipeSource.start(shared, loop, tcp, ours);
      }
      case WRITE -> PipeSink.start(shared, loop, tcp, ours, early, owner);
    }
  }
}
