package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.Errno;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.Poll;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;

/** Who reads slowly, or never, costs a bounded amount of memory and nobody else's time. */
final class SlowReaderTest {
  /** Two unix buffers, two of TCP as the kernel tunes them on loopback, and the proxies' own. */
  private static final long MOST_IN_FLIGHT = 16 << 20;

  @TempDir Path directory;

  /** Writes until nothing is taken for half a second; how much that was. */
  static long fill(Fd socket) throws Exception {
    Fcntl.statusFlags(socket, Fcntl.statusFlags(socket) | Fd.O_NONBLOCK);
    long total = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment chunk = arena.allocate(64 * 1024);
      while (total < 4 * MOST_IN_FLIGHT && Poll.writable(Duration.ofMillis(500), socket)) {
        long n = socket.write(chunk, chunk.byteSize());
        assertThat(n)
            .satisfiesAnyOf(
                sent -> assertThat(sent).isPositive(),
                full -> assertThat(full).isEqualTo(-Errno.EAGAIN));
        total += Math.max(0, n);
      }
    }
    return total;
  }

  @Test
  void whoNeverReadsHoldsLittleAndDelaysNobody() throws Exception {
    try (ProxyPair proxies = ProxyPair.open(directory);
        UnixListener listener = proxies.listen("t.sock");
        Fd application = proxies.connect("t.sock");
        Fd server = ProxyPair.accept(listener)) {
      List<Fd> stalled = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        Fd one = proxies.connect("t.sock");
        stalled.add(one);
        Fd deaf = ProxyPair.accept(listener);
        stalled.add(deaf);
        assertThat(fill(i % 2 == 0 ? one : deaf)).isLessThan(MOST_IN_FLIGHT);
      }
      long start = System.nanoTime();
      for (int i = 0; i < 200; i++) {
        Sockets.write(application, "ping");
        assertThat(Sockets.readText(server, 4)).isEqualTo("ping");
        Sockets.write(server, "pong");
        assertThat(Sockets.readText(application, 4)).isEqualTo("pong");
      }
      // A round trip takes a tenth of a millisecond; a proxy that waits for the deaf takes for
      // ever.
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
      Fd.closeAll(stalled);
      Await.until("they go", () -> proxies.a().shared().relays().size() == 1);
    }
  }

  /** What a later Netty breaks: 4 of the 32 MB arrive. */
  @Test
  void aPeerThatHalfClosesAndReadsSlowlyGetsEverything() throws Exception {
    int megabytes = 32;
    try (Peer peer = Peer.open(directory);
        UnixListener listener = peer.listen("t.sock");
        Peer.Link link = peer.reach("t.sock");
        Fd target = ProxyPair.accept(listener)) {
      link.end();
      assertThat(Sockets.readAll(target)).isEmpty();
      long first = fill(target);
      Fcntl.statusFlags(target, Fcntl.statusFlags(target) & ~Fd.O_NONBLOCK);
      CompletableFuture<Void> writer =
          CompletableFuture.runAsync(() -> writeRest(target, megabytes * (1L << 20) - first));
      // Each read of the peer lets a little through and then the proxy is blocked anew.
      link.socket().setReceiveBufferSize(64 * 1024);
      var in = new java.io.BufferedInputStream(link.socket().getInputStream(), 8 * 1024);
      assertThat(payload(in::readNBytes)).isEqualTo(megabytes * (1L << 20));
      writer.get(30, TimeUnit.SECONDS);
    }
  }

  static void writeRest(Fd target, long bytes) {
    try {
      Sockets.write(target, new byte[(int) bytes]);
      UnixSocket.shutdownWrite(target);
    } catch (java.io.IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Where bytes come from: so many, or fewer at the end. */
  interface Source {
    byte[] read(int count) throws java.io.IOException;
  }

  /** A request to be connected to a socket. */
  static byte[] request(Path target) {
    io.netty.buffer.ByteBuf out = io.netty.buffer.Unpooled.buffer(120, 120);
    new PeerRequest.Uds(
            new qtfs.udsproxy.connector.ConnectRequest(UnixSocket.Type.STREAM, target.toString()),
            Dialect.V1)
        .encode(out);
    return out.array();
  }

  /** The payload bytes of all frames up to the end of the stream. */
  static long payload(Source in) throws Exception {
    long total = 0;
    while (true) {
      byte[] header = in.read(8);
      if (header.length == 0) {
        return total;
      }
      ByteBuffer fields = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
      int length = fields.getInt(4);
      if (fields.getInt(0) == Frame.NORMAL) {
        total += length;
      }
      assertThat(in.read(length).length).as("after %d bytes", total).isEqualTo(length);
    }
  }
}
