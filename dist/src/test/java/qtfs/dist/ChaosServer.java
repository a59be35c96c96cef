package qtfs.dist;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Consumer;
import qtfs.linux.Fd;
import qtfs.linux.Poll;
import qtfs.linux.UnixListener;

/**
 * What the sessions of the chaos lead to: checks every byte, and sends its own at the same time. In
 * this process, at a socket of host B.
 *
 * <p>A client says four numbers first: {@link #MAGIC}, a seed, and how many bytes will go there and
 * back. With an even seed the last word is the server's, when it has got everything, else each says
 * its end when it has sent everything.
 */
final class ChaosServer implements Closeable {
  static final long MAGIC = 0x7175_6965_746C_7921L;
  static final long RIGHT = 42;

  private final UnixListener listener;
  private final Consumer<Throwable> violations;

  ChaosServer(Path socket, Consumer<Throwable> violations) throws IOException {
    this.listener = UnixListener.bind(socket, 128);
    this.violations = violations;
    Thread.ofPlatform().daemon().start(this::serve);
  }

  static boolean answersAtTheEnd(long seed) {
    return seed % 2 == 0;
  }

  private void serve() {
    try {
      while (Poll.readable(Duration.ofDays(1), listener.number())[0] == Poll.IN) {
        int accepted = listener.accept(false);
        if (accepted >= 0) {
          Thread.ofPlatform().daemon().start(() -> answer(new ChaosStream(Fd.own(accepted))));
        }
      }
    } catch (RuntimeException closed) {
      // The test is over.
    }
  }

  private void answer(ChaosStream stream) {
    try (stream) {
      long[] wanted = greeting(stream);
      if (wanted[0] == MAGIC) {
        exchange(stream, wanted[1], wanted[2], wanted[3]);
      }
    } catch (IOException lost) {
      // The client is told the other end of it.
    } catch (AssertionError | InterruptedException e) {
      violations.accept(e);
    }
  }

  /** Strangers say other things, or nothing and hang. */
  private static long[] greeting(ChaosStream stream) throws IOException {
    if (Poll.readable(ChaosStream.LIMIT, stream.fd())[0] == 0) {
      throw new IOException("says nothing");
    }
    long[] magic = stream.readNumbers(1);
    if (magic[0] != MAGIC) {
      throw new IOException("a stranger");
    }
    long[] rest = stream.readNumbers(3);
    return new long[] {magic[0], rest[0], rest[1], rest[2]};
  }

  private void exchange(ChaosStream stream, long seed, long up, long down)
      throws IOException, InterruptedException {
    boolean last = answersAtTheEnd(seed);
    Thread writer =
        Thread.ofPlatform()
            .daemon()
            .start(
                () -> {
                  try {
                    stream.writePattern(-seed, down);
                    if (!last) {
                      stream.shutdownWrite();
                    }
                  } catch (IOException lost) {
                    // So is the other direction.
                  } catch (AssertionError hangs) {
                    violations.accept(hangs);
                  }
                });
    try {
      stream.readPattern(seed, up, () -> {});
      boolean said = stream.readEnd();
      writer.join();
      if (last && said) {
        stream.writeNumbers(RIGHT);
        stream.shutdownWrite();
        boolean ignored = stream.readEnd();
      }
    } finally {
      writer.join();
    }
  }

  @Override
  public void close() {
    listener.close();
  }
}
