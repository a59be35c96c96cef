package qtfs.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import org.junit.jupiter.api.Test;

/** A file in memory takes bytes until it is sealed. */
final class MemfdTest {
  @Test
  void takesBytesUntilItIsSealed() throws Exception {
    try (Arena arena = Arena.ofConfined();
        Fd file = Memfd.create("a name")) {
      assertThat(file.write(arena.allocateFrom("abc"), 3)).isEqualTo(3);
      assertThat(FileStatus.of(file).size()).isEqualTo(3);
      assertThat(Fcntl.path(file.number())).isEqualTo("/memfd:a name (deleted)");
      assertThat(Memfd.isSealed(file)).isFalse();
      Memfd.seal(file);
      assertThat(Memfd.isSealed(file)).isTrue();
      assertThat(file.write(arena.allocateFrom("d"), 1)).isEqualTo(-Errno.EPERM);
    }
  }

  @Test
  void othersAreNotSealed() throws Exception {
    try (Fd device = Fd.open("/dev/null", Fd.O_RDWR, 0)) {
      assertThat(Memfd.isSealed(device)).isFalse();
      assertThat(FileStatus.of(device).node()).isEqualTo(FileStatus.device(1, 3));
    }
  }

  @Test
  void aCallThatNeverWaitsDoesNotOnASocketThatBlocks() throws Exception {
    try (UnixSocket.Pair pair = UnixSocket.pair();
        Arena arena = Arena.ofConfined();
        MessageIo messages = MessageIo.neverWaiting()) {
      messages.piece(0, arena.allocate(8).address(), 8);
      assertThat(messages.receive(pair.first(), 1)).isEqualTo(-Errno.EAGAIN);
    }
  }

  @Test
  void aSocketIsConnectedOrNot() throws Exception {
    try (UnixSocket.Pair pair = UnixSocket.pair();
        Fd alone = UnixSocket.open(UnixSocket.Type.STREAM, true)) {
      assertThat(UnixSocket.isConnected(pair.first())).isTrue();
      pair.second().close();
      assertThat(UnixSocket.isConnected(pair.first())).isTrue();
      assertThat(UnixSocket.isConnected(alone)).isFalse();
    }
  }
}
