package qtfs.udsproxy;

import io.netty.channel.Channel;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import qtfs.linux.Fd;
import qtfs.linux.Pipe;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.udsproxy.connector.ConnectRequest;
import qtfs.udsproxy.connector.Mark;

/**
 * Fuzz target: a connection to the proxy, from its first byte, by somebody who asks rightly or
 * sends anything, becomes a session, the half of a pipe or nothing, ends with him, and leaves no
 * descriptor and no buffer.
 *
 * <pre>
 * 0  u8  how it begins
 *          0  with nothing            3  for a pipe's read end that was passed
 *          1  for a socket, in v1     4  for its write end
 *          2  the same, extended      5  for a socket that was passed    6, 7  as 0
 * 1  u8  a step: the lower bit 0: sends u8 length, then so many bytes
 *                              1: ends his stream, or with the next bit is gone
 * ...    more steps
 * </pre>
 */
public final class PeerConnectionFuzz {
  private static final ThreadLocal<FuzzedProxy> PROXY = ThreadLocal.withInitial(FuzzedProxy::new);
  private static final PipeOwner NOBODY = reason -> {};

  private final byte[] input;
  private final FuzzedProxy proxy;
  private int at = 1;

  private PeerConnectionFuzz(byte[] input, FuzzedProxy proxy) {
    this.input = input;
    this.proxy = proxy;
  }

  /** Called by the fuzzer, and for each kept input by {@link FuzzCorpusTest}. */
  public static void fuzzerTestOneInput(byte[] input) throws Exception {
    if (input.length > 0) {
      FuzzedProxy proxy = PROXY.get();
      try (FuzzedProxy.Run _ = proxy.new Run()) {
        new PeerConnectionFuzz(input, proxy).run();
      }
    }
  }

  private void run() throws IOException {
    UnixSocket.Pair link = UnixSocket.pair();
    List<Closeable> others = new ArrayList<>();
    try (Fd peer = link.second()) {
      Channel tcp = proxy.link(link.first());
      PeerConnection.start(proxy.shared(), tcp);
      send(peer, begin(others));
      proxy.settle();
      while (at < input.length && peer.isOpen()) {
        step(peer);
        proxy.settle();
      }
    } finally {
      for (Closeable other : others) {
        other.close();
      }
    }
    proxy.settle();
  }

  /**
   * The request that the peer begins with.
   *
   * @param others takes what has to be there as long as the peer
   */
  private byte[] begin(List<Closeable> others) throws IOException {
    int how = input[0] & 7;
    ByteBuffer request = ByteBuffer.allocate(120).order(ByteOrder.LITTLE_ENDIAN);
    switch (how) {
      case 1, 2 -> {
        Path path = proxy.directory().resolve("s");
        others.add(UnixListener.bind(path, 4));
        request.putInt(PeerRequest.CNTL_UDS).putInt(ConnectRequest.LENGTH);
        request.put(
            new ConnectRequest(UnixSocket.Type.STREAM, path.toString())
                .encode(how == 1 ? Mark.NONE : Mark.PROXY));
      }
      case 3, 4 -> {
        Pipe pipe = Pipe.open();
        others.add(pipe);
        PipeEnd end = how == 3 ? PipeEnd.READ : PipeEnd.WRITE;
        Fd passed = (how == 3 ? pipe.read() : pipe.write()).duplicate();
        long token = proxy.shared().passedPipes().keep(new PassedFds.Pipe(end, passed, NOBODY));
        request.putInt(PeerRequest.CNTL_PIPE).putInt(PeerRequest.PIPE_LENGTH);
        request.putInt(end.wire()).putInt((int) token);
      }
      case 5 -> {
        UnixSocket.Pair application = UnixSocket.pair();
        others.add(application.second());
        PassedFds.Socket passed = new PassedFds.Socket(application.first(), "fuzz", 0);
        long token = proxy.shared().passedSockets().keep(passed);
        request.putInt(PeerRequest.CNTL_SOCK).putInt(PeerRequest.SOCKET_LENGTH).putLong(token);
      }
      default -> {}
    }
    return Arrays.copyOf(request.array(), request.position());
  }

  private void step(Fd peer) {
    int step = input[at++];
    if ((step & 1) == 0) {
      int wanted = at < input.length ? Byte.toUnsignedInt(input[at++]) : 0;
      int length = Math.min(wanted, input.length - at);
      send(peer, Arrays.copyOfRange(input, at, at + length));
      at += length;
    } else if ((step & 2) == 0) {
      UnixSocket.shutdownWrite(peer);
    } else {
      peer.close();
    }
  }

  /** As much as there is room for, which is more than an input has. */
  private static void send(Fd peer, byte[] bytes) {
    if (bytes.length > 0) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment segment = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
        long ignored = peer.write(segment, bytes.length);
      }
    }
  }
}
