package qtfs.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import org.junit.jupiter.api.Test;

final class PollTest {
  private static final Duration LONG = Duration.ofSeconds(10);

  private static void write(Fd fd, int bytes) {
    try (Arena arena = Arena.ofConfined()) {
      assertThat(fd.write(arena.allocate(bytes), bytes)).isEqualTo(bytes);
    }
  }

  @Test
  void tellsWhichOneIsReadable() throws IOException {
    try (Pipe quiet = Pipe.open();
        Pipe busy = Pipe.open()) {
      write(busy.write(), 1);
      assertThat(Poll.readable(LONG, quiet.read(), busy.read())).containsExactly(0, Poll.IN);
      assertThat(Poll.readable(LONG, busy.read().number(), quiet.read().number()))
          .containsExactly(Poll.IN, 0);
    }
  }

  @Test
  void aClosedPipeHasHungUp() throws IOException {
    try (Pipe pipe = Pipe.open()) {
      pipe.write().close();
      assertThat(Poll.readable(LONG, pipe.read())).containsExactly(Poll.HUP);
    }
    try (Pipe pipe = Pipe.open()) {
      pipe.read().close();
      assertThat(Poll.readable(LONG, pipe.write())).containsExactly(Poll.ERR);
    }
  }

  @Test
  void waitsNoLongerThanItIsTold() throws IOException {
    try (Pipe pipe = Pipe.open()) {
      long start = System.nanoTime();
      assertThat(Poll.readable(Duration.ofMillis(50), pipe.read())).containsExactly(0);
      assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(50_000_000);
      assertThat(Poll.readable(Duration.ZERO, pipe.read())).containsExactly(0);
    }
  }

  @Test
  void wakesUpWhenSomethingComes() throws Exception {
    try (Pipe pipe = Pipe.open()) {
      Thread writer = Thread.ofPlatform().start(() -> write(pipe.write(), 1));
      assertThat(Poll.readable(Duration.ofSeconds(-1), pipe.read())).containsExactly(Poll.IN);
      writer.join();
    }
  }

  @Test
  void aFullPipeIsNotWritable() throws IOException {
    try (Pipe pipe = Pipe.open();
        Arena arena = Arena.ofConfined()) {
      assertThat(Poll.writable(LONG, pipe.write())).isTrue();
      Fcntl.statusFlags(pipe.write(), Fd.O_WRONLY | Fd.O_NONBLOCK);
      MemorySegment chunk = arena.allocate(4096);
      while (pipe.write().write(chunk, 4096) > 0) {
        // until it is full
      }
      assertThat(Poll.writable(Duration.ofMillis(20), pipe.write())).isFalse();
      pipe.read().close();
      assertThat(Poll.writable(LONG, pipe.write())).isTrue();
    }
  }
}
