package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.Fd;
import qtfs.linux.UnixListener;
import qtfs.testing.Await;

/** Each limit takes effect, is counted and named, and whoever is within it does not notice. */
final class LimitsTest {
  private static final Limits DEFAULT = Limits.DEFAULT;

  @TempDir Path directory;
  private final CapturedLog log = new CapturedLog();
  private final List<AutoCloseable> open = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable one : open.reversed()) {
      one.close();
    }
    log.close();
  }

  private <T extends AutoCloseable> T keep(T one) {
    open.add(one);
    return one;
  }

  private Peer start(UnaryOperator<ProxyConfig.Builder> options) throws Exception {
    return keep(Peer.configured(directory, options));
  }

  private Peer limited(int sessions, int perPeer, Duration idle, int buffered) throws Exception {
    Limits limits =
        new Limits(sessions, perPeer, idle, buffered, DEFAULT.bufferedInAll(), DEFAULT.link());
    return start(config -> config.limits(limits));
  }

  /** A session that the peer has asked for. */
  private final class Incoming {
    private final Peer.Link link;
    private final Fd target;

    Incoming(Peer peer, UnixListener listener) throws Exception {
      link = keep(peer.reach(listener.path().getFileName().toString()));
      target = keep(ProxyPair.accept(listener));
    }

    void assertPings() throws Exception {
      Sockets.write(target, "ping");
      link.send(link.read(8 + 4 + 8));
      assertThat(Sockets.readText(target, 4)).isEqualTo("ping");
    }
  }

  private void assertRefusedToPeer(Peer peer, Path path) throws Exception {
    try (Peer.Link link = peer.connect()) {
      link.send(
          Recorded.of("b01-connect-hello-reply", "tcp1.A-B")
              .towards(path)
              .slice(0, Recorded.REQUEST));
      assertThat(link.readInt()).isEqualTo(PeerRequest.REFUSED);
      assertThat(link.ended()).isTrue();
    }
  }

  private void assertHit(Limit limit, int times) throws Exception {
    String series = "qtfs_proxy_limit_hits_total{limit=\"" + limit.word() + "\"}";
    assertThat(Scrape.of(directory.resolve("run")).value(series)).isEqualTo(times);
  }

  /** docs/metrics.md: it may come on top of what waits for the peer. */
  @Test
  void aReadOfAnApplicationIsOf96KiBAtMost() {
    assertThat(Dialect.values()).allMatch(dialect -> dialect.readSize() <= 96 * 1024);
  }

  @Test
  void maxSessions() throws Exception {
    Peer peer = limited(2, 2, Duration.ZERO, DEFAULT.buffered());
    UnixListener listener = keep(peer.listen("t.sock"));
    Incoming first = new Incoming(peer, listener);
    Incoming second = new Incoming(peer, listener);
    try (Fd connector = peer.ask("u.sock")) {
      assertThat(Sockets.read(connector, 5)).isEqualTo(new byte[4]);
    }
    assertThat(peer.isAsked()).as("the peer was bothered").isFalse();
    assertThat(log.only("session-refused"))
        .contains(" reason=max-sessions ")
        .contains("\"there are 2 sessions, as many as --max-sessions allows\"");
    assertHit(Limit.MAX_SESSIONS, 1);
    first.assertPings();
    second.assertPings();

    second.link.hangUp();
    second.target.close();
    Await.until("its place is free", () -> peer.daemon().shared().places().taken() == 1);
    new Incoming(peer, listener).assertPings();
    first.assertPings();
  }

  @Test
  void maxSessionsPerPeerLeavesThisHostItsOwn() throws Exception {
    Peer peer = limited(2, 1, Duration.ZERO, DEFAULT.buffered());
    UnixListener listener = keep(peer.listen("t.sock"));
    Incoming first = new Incoming(peer, listener);
    assertRefusedToPeer(peer, listener.path());
    assertThat(log.only("session-refused"))
        .contains(" reason=max-sessions-per-peer ")
        .contains("\"there are 1 sessions, as many as --max-sessions-per-peer allows\"");
    assertHit(Limit.MAX_SESSIONS_PER_PEER, 1);
    try (Fd connector = peer.ask("u.sock");
        Peer.Link asked = peer.accept()) {
      asked.read(Recorded.REQUEST);
      asked.send(new byte[4]);
      assertThat(Sockets.read(connector, 4)).isEqualTo(new byte[] {1, 0, 0, 0});
    }
    first.assertPings();
  }

  /** Whatever ends a request gives its place back. */
  @Test
  void aPlaceIsFreeAgainAfterEveryKindOfFailure() throws Exception {
    Peer peer = limited(1, 1, Duration.ZERO, DEFAULT.buffered());
    for (int i = 0; i < 3; i++) {
      assertRefusedToPeer(peer, peer.path("missing.sock"));
      assertRefusedToPeer(peer, Path.of("/not/listed.sock"));
      try (Fd connector = peer.ask("u.sock");
          Peer.Link refusing = peer.accept()) {
        refusing.read(Recorded.REQUEST);
        refusing.send(new byte[] {-1, -1, -1, -1});
        assertThat(Sockets.read(connector, 5)).isEqualTo(new byte[4]);
      }
      try (Fd connector = peer.ask("u.sock")) {
        peer.accept().hangUp();
        assertThat(Sockets.read(connector, 5)).isEqualTo(new byte[4]);
      }
      Await.until("no place is taken", () -> peer.daemon().shared().places().taken() == 0);
    }
    UnixListener listener = keep(peer.listen("t.sock"));
    new Incoming(peer, listener).assertPings();
  }

  @Test
  void handshakeTimeout() throws Exception {
    Deadlines deadlines =
        new Deadlines(
            Duration.ofMillis(300),
            Duration.ofSeconds(5),
            Duration.ofSeconds(5),
            Duration.ofSeconds(1));
    Peer peer = start(config -> config.deadlines(deadlines));
    try (Peer.Link silent = peer.connect()) {
      assertThat(silent.ended()).isTrue();
      assertThat(log.only("connection-dropped")).contains(" reason=handshake-timeout ");
    }
    try (Fd connector = peer.ask("u.sock");
        Peer.Link _ = peer.accept()) {
      assertThat(Sockets.read(connector, 5)).isEqualTo(new byte[4]);
      assertThat(log.only("session-refused")).contains(" reason=handshake-timeout ");
    }
    assertHit(Limit.HANDSHAKE_TIMEOUT, 2);
  }

  @Test
  void pairingTimeout() throws Exception {
    Deadlines deadlines =
        new Deadlines(
            Duration.ofSeconds(10),
            Duration.ofMillis(300),
            Duration.ofSeconds(5),
            Duration.ofSeconds(1));
    Peer peer = start(config -> config.deadlines(deadlines));
    try (Fd connector = peer.ask("u.sock");
        Peer.Link asked = peer.accept()) {
      asked.read(Recorded.REQUEST);
      asked.send(new byte[4]);
      assertThat(Sockets.read(connector, 4)).isEqualTo(new byte[] {1, 0, 0, 0});
      assertThat(asked.ended()).isTrue();
    }
    assertThat(log.only("session-refused")).contains(" reason=pairing-timeout ");
    assertHit(Limit.PAIRING_TIMEOUT, 1);
  }

  @Test
  void idleTimeoutEndsOnlyWhoIsIdle() throws Exception {
    Duration idle = Duration.ofSeconds(2);
    Peer peer = limited(10, 10, idle, DEFAULT.buffered());
    UnixListener listener = keep(peer.listen("t.sock"));
    Incoming busy = new Incoming(peer, listener);
    Incoming silent = new Incoming(peer, listener);
    long start = System.nanoTime();
    Await.until(
        "the silent one ends",
        () -> {
          busy.assertPings();
          return peer.daemon().shared().sessions().size() == 1;
        });
    assertThat(System.nanoTime() - start).isGreaterThan(idle.toNanos() / 2);
    assertThat(Sockets.readAll(silent.target)).isEmpty();
    assertThat(log.only("session-end"))
        .contains(" reason=\"nothing went either way for as long as --idle-timeout allows\" ");
    assertHit(Limit.IDLE_TIMEOUT, 1);
    busy.assertPings();
  }

  @Test
  void maxBufferedStopsReadingAndLosesNothing() throws Exception {
    Peer peer = limited(10, 10, Duration.ZERO, 16 * 1024);
    UnixListener listener = keep(peer.listen("t.sock"));
    Incoming stalled = new Incoming(peer, listener);
    Incoming other = new Incoming(peer, listener);
    Thread writer =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    Sockets.write(stalled.target, new byte[16 << 20]);
                    stalled.target.close();
                  } catch (IOException e) {
                    throw new UncheckedIOException(e);
                  }
                });
    String series = "qtfs_proxy_limit_hits_total{limit=\"max-buffered\"}";
    Await.until("it is full", () -> Scrape.of(directory.resolve("run")).value(series) > 0);
    other.assertPings();
    assertThat(peer.daemon().shared().sessions().getFirst().bytesToPeer()).isLessThan(16 << 20);
    long payload = 0;
    byte[] header = stalled.link.read(8);
    while (payload < 16 << 20) {
      int length = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).getInt(4);
      stalled.link.read(length);
      payload += length;
      header = stalled.link.read(8);
    }
    writer.join();
    assertThat(payload).isEqualTo(16 << 20);
    other.assertPings();
  }

  @Test
  void theDefaultsAllowAThousandAtOnce() {
    assertThat(DEFAULT.sessions()).isGreaterThan(10_000);
    assertThat(DEFAULT.sessionsPerPeer()).isGreaterThan(10_000).isLessThan(DEFAULT.sessions());
    assertThat(DEFAULT.endsIdle()).isFalse();
  }
}
