package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;
import qtfs.linux.Fd;
import qtfs.linux.Pipe;
import qtfs.testing.Await;

/** A passed pipe is fetched with its token, once, in time, in its own direction, or not at all. */
final class PipeTokenTest extends ReachedTarget {
  /** The target passes an end of its pipe; what the peer is told to fetch it with. */
  private int pass(Fd end) throws IOException {
    Sockets.send(target, "x", List.of(end));
    ByteBuffer sent = ByteBuffer.wrap(link.read(16 + 8 + 1 + 8)).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(sent.getInt(0)).isEqualTo(Frame.SCM_PIPE);
    int token = sent.getInt(12);
    assertThat(token).isPositive();
    return token;
  }

  private Peer.Link fetch(PipeEnd end, int token) throws IOException {
    ByteBuffer request = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    request.putInt(PeerRequest.CNTL_PIPE).putInt(8).putInt(end.wire()).putInt(token);
    Peer.Link fetching = peer.connect();
    fetching.send(request.array());
    return fetching;
  }

  private void assertRefused(PipeEnd end, int token) throws IOException {
    try (Peer.Link fetching = fetch(end, token)) {
      assertThat(fetching.ended()).isTrue();
    }
    assertSessionGoesOn();
  }

  /** The session that stood by has noticed nothing. */
  private void assertSessionGoesOn() throws IOException {
    Sockets.write(target, "ping");
    byte[] frames = link.read(8 + 4 + 8);
    assertThat(ByteBuffer.wrap(frames).order(ByteOrder.LITTLE_ENDIAN).getInt(4)).isEqualTo(4);
    link.send(frames);
    assertThat(Sockets.readText(target, 4)).isEqualTo("ping");
  }

  @Test
  void aTokenThatWasNeverAnnounced() throws Exception {
    for (int token : new int[] {0, 1, 3, 11, -1, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
      assertRefused(PipeEnd.READ, token);
      assertRefused(PipeEnd.WRITE, token);
    }
  }

  @Test
  void aTokenNextToAnAnnouncedOne() throws Exception {
    try (Pipe pipe = Pipe.open()) {
      int token = pass(pipe.read());
      assertRefused(PipeEnd.READ, token + 1);
      assertRefused(PipeEnd.READ, token - 1);
      assertRefused(PipeEnd.READ, pipe.read().number());
    }
  }

  @Test
  void theWrongDirectionIsRefusedAndTheRightOneStillGood() throws Exception {
    try (Pipe pipe = Pipe.open()) {
      int token = pass(pipe.read());
      assertRefused(PipeEnd.WRITE, token);
      try (Peer.Link fetching = fetch(PipeEnd.READ, token)) {
        Sockets.write(pipe.write(), "bytes");
        assertThat(fetching.read(5))
            .isEqualTo("bytes".getBytes(java.nio.charset.StandardCharsets.UTF_8));
      }
    }
  }

  @Test
  void aTokenIsGoodOnce() throws Exception {
    try (Pipe pipe = Pipe.open()) {
      int token = pass(pipe.read());
      try (Peer.Link fetching = fetch(PipeEnd.READ, token)) {
        Sockets.write(pipe.write(), "one");
        fetching.read(3);
        assertRefused(PipeEnd.READ, token);
        Sockets.write(pipe.write(), "two");
        fetching.read(3);
      }
      assertRefused(PipeEnd.READ, token);
    }
  }

  @Test
  void tokensDiffer() throws Exception {
    try (Pipe pipe = Pipe.open()) {
      assertThat(List.of(pass(pipe.read()), pass(pipe.read()), pass(pipe.read())))
          .doesNotHaveDuplicates();
    }
  }

  @Test
  void aTokenThatNobodyAsksForExpiresAndItsSessionFails() throws Exception {
    stop();
    start(SOON_EXPIRED);
    try (Pipe pipe = Pipe.open()) {
      int token = pass(pipe.read());
      pipe.read().close();
      Await.until("it expires", () -> peer.daemon().shared().passedPipes().size() == 0);
      try (Peer.Link fetching = fetch(PipeEnd.READ, token)) {
        assertThat(fetching.ended()).isTrue();
      }
      // Nobody reads it any more: whoever writes is told, and so are both ends of the session.
      assertThatThrownBy(() -> Sockets.write(pipe.write(), "for nobody"))
          .hasMessageContaining("Broken pipe");
      assertThat(Sockets.readAll(target)).isEmpty();
      assertThat(link.ended()).isTrue();
    }
  }

  /** A reader could not tell a failed link from the end of what there is to read. */
  @Test
  void aPipeWhoseLinkIsResetFailsItsSession() throws Exception {
    try (Pipe pipe = Pipe.open()) {
      int token = pass(pipe.write());
      try (Peer.Link writer = fetch(PipeEnd.WRITE, token)) {
        writer.send(new byte[] {'a'});
        assertThat(Sockets.readText(pipe.read(), 1)).isEqualTo("a");
        writer.socket().setSoLinger(true, 0); // closing resets it
      }
      assertThat(Sockets.readAll(target)).isEmpty();
      assertThat(link.ended()).isTrue();
    }
  }

  @Test
  void aPipeThatEndsInOrderFailsNothing() throws Exception {
    try (Pipe pipe = Pipe.open()) {
      int token = pass(pipe.write());
      pipe.write().close();
      try (Peer.Link writer = fetch(PipeEnd.WRITE, token)) {
        writer.send(new byte[] {'a'});
      }
      assertThat(Sockets.readAll(pipe.read())).isEqualTo("a");
      assertSessionGoesOn();
    }
  }
}
