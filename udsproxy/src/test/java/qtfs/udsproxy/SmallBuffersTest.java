package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;

/** 100 MB both ways at once through the smallest socket buffers arrive as they were sent. */
final class SmallBuffersTest {
  private static final int TOTAL = 100_000_000;
  private static final int LIMIT_SECONDS = 240;

  @TempDir Path directory;

  @ParameterizedTest
  @EnumSource(Dialect.class)
  void everythingArrives(Dialect dialect) throws Exception {
    try (ProxyPair proxies = ProxyPair.open(directory, dialect);
        UnixListener listener = proxies.listen("t.sock");
        Fd application = proxies.connect("t.sock");
        Fd server = ProxyPair.accept(listener)) {
      UnixSocket.sendBuffer(application, 1);
      UnixSocket.sendBuffer(server, 1);
      var up = background(() -> write(application, 3));
      var down = background(() -> write(server, 5));
      var atServer = background(() -> read(server));
      long atApplication = read(application);
      assertThat(atServer.get(LIMIT_SECONDS, TimeUnit.SECONDS))
          .isEqualTo(up.get(1, TimeUnit.SECONDS));
      assertThat(atApplication).isEqualTo(down.get(1, TimeUnit.SECONDS));
    }
  }

  /** Writes all, ends, and returns the checksum. */
  private static long write(Fd socket, int step) throws IOException {
    CRC32 sum = new CRC32();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment chunk = arena.allocate(1 << 16);
      byte[] bytes = new byte[1 << 16];
      int value = 0;
      for (int left = TOTAL; left > 0; ) {
        for (int i = 0; i < bytes.length; i++) {
          bytes[i] = (byte) (value += step);
        }
        MemorySegment.copy(bytes, 0, chunk, ValueLayout.JAVA_BYTE, 0, bytes.length);
        int n = (int) socket.write(chunk, Math.min(left, bytes.length));
        if (n < 0) {
          throw new IOException(Errno.message(-n));
        }
        sum.update(bytes, 0, n);
        left -= n;
      }
    }
    UnixSocket.shutdownWrite(socket);
    return sum.getValue();
  }

  /** Reads to the end and returns the checksum. */
  private static long read(Fd socket) throws IOException {
    CRC32 sum = new CRC32();
    long total = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment chunk = arena.allocate(1 << 16);
      while (true) {
        int n = (int) socket.read(chunk, 1 << 16);
        if (n <= 0) {
          assertThat(total).as("errno %d", -n).isEqualTo(TOTAL);
          return sum.getValue();
        }
        sum.update(chunk.asSlice(0, n).asByteBuffer());
        total += n;
      }
    }
  }

  private interface Task {
    long run() throws IOException;
  }

  private static CompletableFuture<Long> background(Task task) {
    CompletableFuture<Long> done = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              try {
                done.complete(task.run());
              } catch (IOException | AssertionError e) {
                done.completeExceptionally(e);
              }
            });
    return done;
  }
}
