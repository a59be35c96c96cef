package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import qtfs.dist.TwoHosts.Host;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;

/**
 * What a session that is there costs its proxies in system calls, which is what its speed hangs on:
 * counted, and not timed.
 */
final class CallsOfASessionIT {
  private static final String PATH = "/run/calls.sock";
  private static final int ROUND_TRIPS = 500;
  private static final int MESSAGE = 64;
  private static final int PIECE = 60_000;
  private static final int PIECES = 200;

  /** What a daemon does beside: its clocks, somebody's metrics, a connect's last bytes. */
  private static final int BESIDE = 50;

  /** docs/metrics.md: what may wait beside --max-buffered, each way. */
  private static final int MOST_READ_OF_THE_LINK = 128 * 1024;

  /** The payload of a frame of the extended dialect. */
  private static final int MOST_READ_OF_AN_APPLICATION = 64 * 1024;

  private static final String CALLS =
      "recvmsg,recvfrom,sendmsg,sendto,writev,?epoll_wait,epoll_pwait,epoll_pwait2";

  @AutoClose private static TwoHosts hosts;
  @AutoClose private static UnixListener listener;
  private static Path requests;

  @BeforeAll
  static void up() throws Exception {
    Strace.need();
    hosts = TwoHosts.up();
    requests = hosts.file(Host.A, "/run/qtfs/remote_uds.sock");
    listener = UnixListener.bind(hosts.file(Host.B, PATH), 16);
  }

  /** Both ends of a session, from A to B. */
  private record Session(PlainSocket application, PlainSocket server) implements AutoCloseable {
    static Session open() throws Exception {
      PlainSocket.request(requests.toString(), PATH);
      String proxied = hosts.file(Host.A, PATH + ".proxy").toString();
      PlainSocket application = new PlainSocket(UnixSocket.connect(proxied));
      return new Session(application, PlainSocket.accept(listener));
    }

    @Override
    public void close() {
      application.close();
      server.close();
    }

    void roundTrips(int count) throws IOException {
      String message = "m".repeat(MESSAGE);
      for (int i = 0; i < count; i++) {
        application.send(message, List.of());
        take(server, MESSAGE);
        server.send(message, List.of());
        take(application, MESSAGE);
      }
    }

    /** Much, one way, by a thread of its own. */
    void bulk() throws Exception {
      String piece = "b".repeat(PIECE);
      FutureTask<Void> sending =
          new FutureTask<>(
              () -> {
                for (int i = 0; i < PIECES; i++) {
                  application.send(piece, List.of());
                }
                return null;
              });
      Thread.ofPlatform().daemon().start(sending);
      take(server, PIECE * PIECES);
      sending.get(30, TimeUnit.SECONDS);
    }

    private static void take(PlainSocket socket, int length) throws IOException {
      for (int left = length; left > 0; ) {
        int got = socket.receive().text().length();
        if (got == 0) {
          throw new IOException("the session ends");
        }
        left -= got;
      }
    }
  }

  private static Strace trace(String daemon) throws Exception {
    return Strace.attach(hosts.daemon(daemon).pid(), Strace.options(CALLS), hosts.shared());
  }

  /** What calls of these names have returned, but for errors. */
  private static List<Integer> results(String trace, String calls) {
    return Pattern.compile("(?m)\\b(?:" + calls + ")(?:\\(| resumed>).* = (\\d+)$")
        .matcher(trace)
        .results()
        .map(result -> Integer.valueOf(result.group(1)))
        .toList();
  }

  /** One to wait, one to read, one to write, there and back, and no timeout to set up. */
  @ParameterizedTest
  @ValueSource(strings = {"udsproxyd on A", "udsproxyd on B"})
  void aRoundTripIsThreeCallsEachWay(String daemon) throws Exception {
    Strace strace;
    try (Session session = Session.open()) {
      session.roundTrips(BESIDE);
      strace = trace(daemon);
      try (strace) {
        session.roundTrips(ROUND_TRIPS);
      }
    }
    String trace = strace.text();
    assertThat(results(trace, "recvmsg|recvfrom|sendmsg|sendto|writev"))
        .hasSizeBetween(4 * ROUND_TRIPS - BESIDE, 4 * ROUND_TRIPS + BESIDE);
    assertThat(results(trace, "epoll_wait|epoll_pwait|epoll_pwait2"))
        .hasSizeLessThan(2 * ROUND_TRIPS + BESIDE);
    assertThat(results(trace, "epoll_pwait2")).hasSizeLessThan(BESIDE);
  }

  /** A read is of no more than docs/metrics.md promises, and of that much where so much waits. */
  @Test
  void bulkIsReadInPiecesThatAreLargeButNotTooLarge() throws Exception {
    List<Integer> reads = results(ofBulk("udsproxyd on B"), "recvfrom");
    assertThat(reads).allMatch(read -> read <= MOST_READ_OF_THE_LINK);
    assertThat(reads).contains(MOST_READ_OF_THE_LINK);
    reads = results(ofBulk("udsproxyd on A"), "recvmsg");
    assertThat(reads).allMatch(read -> read <= MOST_READ_OF_AN_APPLICATION);
    assertThat(reads).contains(MOST_READ_OF_AN_APPLICATION);
  }

  private static String ofBulk(String daemon) throws Exception {
    Strace strace = trace(daemon);
    try (strace;
        Session session = Session.open()) {
      session.bulk();
    }
    return strace.text();
  }
}
