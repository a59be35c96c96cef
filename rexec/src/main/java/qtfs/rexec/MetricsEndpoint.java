package qtfs.rexec;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Fd;
import qtfs.linux.InetSocket;
import qtfs.linux.Log;
import qtfs.linux.Pipe;
import qtfs.linux.Poll;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.udsproxy.metrics.MetricsPage;
import qtfs.udsproxy.metrics.ProcessMetrics;
import qtfs.udsproxy.metrics.ScrapeRequest;
import qtfs.udsproxy.metrics.ScrapeResponse;

/**
 * Where metrics are scraped: {@code metrics.sock}, mode 0600, and an address if one is given. A
 * thread for each connection, no more than {@value #CONNECTIONS} at once and none for longer than
 * {@value #LIMIT_SECONDS} seconds, so that who asks and does not read takes nobody's place.
 */
final class MetricsEndpoint implements Closeable {
  static final String NAME = "metrics.sock";

  private static final int BACKLOG = 16;
  private static final int CONNECTIONS = 8;
  private static final int LIMIT_SECONDS = 10;
  private static final Duration RETRY = Duration.ofMillis(100);

  private final ServerContext context;
  private final UnixListener listener;
  private final @Nullable Fd address;
  private final Pipe stop = Pipe.open();
  private final Semaphore places = new Semaphore(CONNECTIONS);

  private MetricsEndpoint(ServerContext context, UnixListener listener, @Nullable Fd address)
      throws IOException {
    this.context = context;
    this.listener = listener;
    this.address = address;
  }

  /**
   * Listens.
   *
   * @param address besides the socket in the run directory, null for none
   */
  static MetricsEndpoint start(
      Path runDir, ServerContext context, @Nullable InetSocketAddress address) throws IOException {
    @Nullable Fd bound = address == null ? null : InetSocket.listen(address, BACKLOG);
    try {
      UnixListener listener = UnixListener.bind(runDir.resolve(NAME), BACKLOG);
      MetricsEndpoint endpoint = new MetricsEndpoint(context, listener, bound);
      Thread.ofPlatform().daemon().name("metrics").start(endpoint::acceptAll);
      return endpoint;
    } catch (IOException e) {
      if (bound != null) {
        bound.close();
      }
      throw e;
    }
  }

  private void acceptAll() {
    int[] numbers =
        address == null
            ? new int[] {stop.read().number(), listener.number()}
            : new int[] {stop.read().number(), listener.number(), address.number()};
    while (true) {
      int[] events = Poll.readable(Deadline.FOREVER, numbers);
      if (events[0] != 0) {
        return;
      }
      for (int i = 1; i < numbers.length; i++) {
        if (events[i] != 0) {
          accept(numbers[i]);
        }
      }
    }
  }

  private void accept(int number) {
    int result = UnixSocket.accept(number, false);
    if (result >= 0) {
      serve(Fd.own(result));
    } else {
      // Nobody, or no descriptor left: not again at once.
      Poll.readable(RETRY, stop.read());
    }
  }

  private void serve(Fd connection) {
    if (!places.tryAcquire()) {
      connection.close();
      return;
    }
    Thread.ofPlatform()
        .daemon()
        .name("scrape")
        .start(
            () -> {
              try (connection) {
                answer(new Exchange(connection, Deadline.after(Duration.ofSeconds(LIMIT_SECONDS))));
              } catch (IOException | RuntimeException e) {
                Log.debug(NAME + ": " + e.getMessage());
              } finally {
                places.release();
              }
            });
  }

  private void answer(Exchange exchange) throws IOException {
    String head = exchange.read(ScrapeRequest.END, ScrapeRequest.MAX_HEAD);
    if (head.isEmpty()) {
      return;
    }
    ScrapeRequest request =
        head.endsWith(ScrapeRequest.END)
            ? ScrapeRequest.parse(head.strip())
            : ScrapeRequest.tooLarge();
    ScrapeResponse response =
        switch (request) {
          case ScrapeRequest.Metrics(String accept) -> scrape(accept);
          case ScrapeRequest.Other(ScrapeResponse other) -> other;
        };
    exchange.write(response.bytes());
  }

  private ScrapeResponse scrape(String accept) throws IOException {
    MetricsPage page = new MetricsPage();
    context.metrics().addTo(page);
    RunningPrograms.Counts counts = context.running().counts();
    page.counter("qtfs_rexec_programs_total", "Programs that have been started", counts.started())
        .gauge("qtfs_rexec_programs_running", "Programs that run now", counts.running())
        .gauge(
            "qtfs_rexec_programs_left",
            "Programs that run and that a server before this one has started",
            counts.survivors());
    ProcessMetrics.addTo(page);
    ByteArrayOutputStream out = new ByteArrayOutputStream(1 << 14);
    String contentType = page.write(out, accept);
    return ScrapeResponse.ok(contentType, out.toString(UTF_8));
  }

  /** Answers nobody any more. */
  @Override
  public void close() {
    stop.write().close();
    listener.close();
    if (address != null) {
      address.close();
    }
  }
}
