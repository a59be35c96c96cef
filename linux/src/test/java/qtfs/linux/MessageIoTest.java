package qtfs.linux;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class MessageIoTest {
  @TempDir Path directory;
  private final Arena arena = Arena.ofConfined();
  private final MessageIo messages = new MessageIo();
  private UnixSocket.Pair pair;

  @BeforeEach
  void connect() throws IOException {
    pair = UnixSocket.pair();
  }

  @AfterEach
  void close() {
    pair.close();
    messages.close();
    arena.close();
  }

  private long send(String text, List<Fd> fds) {
    MemorySegment bytes = arena.allocateFrom(text);
    messages.piece(0, bytes.address(), text.getBytes(UTF_8).length);
    return messages.send(pair.first(), 1, fds);
  }

  private String receive() {
    MemorySegment buffer = arena.allocate(256);
    messages.piece(0, buffer.address(), 256);
    long n = messages.receive(pair.second(), 1);
    assertThat(n).isNotNegative();
    return new String(buffer.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE), UTF_8);
  }

  @Test
  void aCallThatFailsGivesNoDescriptors() throws IOException {
    try (MessageIo impatient = MessageIo.neverWaiting();
        Fd file = Fd.open(Path.of("/dev/null"), Fd.O_RDONLY)) {
      assertThat(send("x", List.of(file))).isEqualTo(1);
      MemorySegment buffer = arena.allocate(8);
      impatient.piece(0, buffer.address(), 8);
      assertThat(impatient.receive(pair.second(), 1)).isEqualTo(1);
      Fd.closeAll(impatient.takeFds());
      assertThat(impatient.receive(pair.second(), 1)).isEqualTo(-Errno.EAGAIN);
      // Those of the message before, whose numbers may be somebody else's by now.
      assertThat(impatient.takeFds()).isEmpty();
      assertThat(impatient.wasMessage()).isFalse();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 63, 64, 65, 253})
  void passesDescriptorsInTheirOrder(int count) throws IOException {
    List<Fd> sent = new ArrayList<>();
    List<FileStatus> files = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Path file = Files.writeString(directory.resolve("file" + i), "x");
      Fd fd = Fd.open(file, Fd.O_RDONLY);
      sent.add(fd);
      files.add(FileStatus.of(fd));
    }
    assertThat(send("x", sent)).isEqualTo(1);
    assertThat(sent).allMatch(Fd::isOpen);
    Fd.closeAll(sent);
    assertThat(receive()).isEqualTo("x");
    List<Fd> received = messages.takeFds();
    assertThat(messages.fdsWereDropped()).isFalse();
    assertThat(received).hasSize(count);
    for (int i = 0; i < count; i++) {
      assertThat(FileStatus.of(received.get(i)).sameFile(files.get(i))).isTrue();
      assertThat(Fcntl.isCloseOnExec(received.get(i).number())).isTrue();
    }
    Fd.closeAll(received);
  }

  @Test
  void refusesMoreThanTheKernelPasses() throws IOException {
    try (Pipe pipe = Pipe.open()) {
      assertThatThrownBy(() -> send("x", Collections.nCopies(254, pipe.read())))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("254");
    }
  }

  @Test
  void descriptorsOfOneMessageDoNotComeWithTheNext() throws IOException {
    try (Pipe pipe = Pipe.open()) {
      send("first", List.of(pipe.read(), pipe.write()));
      send("second", List.of(pipe.read()));
      send("third", List.of());
    }
    assertThat(receive()).isEqualTo("first");
    assertTakes(2);
    assertThat(receive()).isEqualTo("second");
    assertTakes(1);
    assertThat(receive()).isEqualTo("third");
    assertTakes(0);
  }

  private void assertTakes(int count) {
    List<Fd> fds = messages.takeFds();
    assertThat(fds).hasSize(count);
    Fd.closeAll(fds);
  }

  @Test
  void nothingToReceiveIsEagainAndTheEndIsZero() throws IOException {
    Fcntl.statusFlags(pair.second(), Fd.O_RDWR | Fd.O_NONBLOCK);
    messages.piece(0, arena.allocate(16).address(), 16);
    assertThat(messages.receive(pair.second(), 1)).isEqualTo(-Errno.EAGAIN);
    assertTakes(0);
    pair.first().close();
    assertThat(messages.receive(pair.second(), 1)).isZero();
    assertTakes(0);
  }

  @Test
  void aFullSocketIsEagainAndTakesNoDescriptor() throws IOException {
    Fcntl.statusFlags(pair.first(), Fd.O_RDWR | Fd.O_NONBLOCK);
    MemorySegment much = arena.allocate(1 << 20);
    messages.piece(0, much.address(), 1 << 20);
    long taken = 0;
    for (long n; (n = messages.send(pair.first(), 1, List.of())) > 0; ) {
      taken += n;
    }
    assertThat(taken).isPositive();
    Path file = Files.writeString(directory.resolve("file"), "x");
    try (Fd fd = Fd.open(file, Fd.O_RDONLY)) {
      assertThat(messages.send(pair.first(), 1, List.of(fd))).isEqualTo(-Errno.EAGAIN);
      assertThat(fd.isOpen()).isTrue();
    }
    for (long left = taken; left > 0; ) {
      left -= messages.receive(pair.second(), 1);
      assertTakes(0);
    }
  }

  @Test
  void sendingToNobodyIsAnErrorAndNoSignal() {
    pair.second().close();
    assertThat(send("x", List.of())).isEqualTo(-Errno.EPIPE);
  }

  @Test
  void scattersAndGathers() {
    MemorySegment out = arena.allocateFrom("abcdefgh");
    messages.piece(0, out.address(), 3);
    messages.piece(1, out.address() + 5, 2);
    assertThat(messages.send(pair.first(), 2, List.of())).isEqualTo(5);
    MemorySegment in = arena.allocate(64);
    for (int i = 0; i < MessageIo.MAX_IOVECS; i++) {
      messages.piece(i, in.address() + i, i < 2 ? 1 : 0);
    }
    messages.piece(2, in.address() + 10, 20);
    assertThat(messages.receive(pair.second(), MessageIo.MAX_IOVECS)).isEqualTo(5);
    assertThat(in.getString(0)).isEqualTo("ab");
    assertThat(in.getString(10)).isEqualTo("cfg");
  }

  /** The kernel keeps what the receiver may not open, and says so. */
  @Test
  void tellsThatDescriptorsWereDropped() throws Exception {
    try (Pipe pipe = Pipe.open()) {
      send("x", Collections.nCopies(253, pipe.read()));
    }
    List<Fd> hoard = new ArrayList<>();
    // The numbers below the limit are used up, except for a hundred.
    long limit = openFilesLimit();
    assumeTrue(limit <= 1 << 17, "may open " + limit + " files: run with ulimit -n 65536");
    try (Fd any = Fd.open("/dev/null", Fd.O_RDONLY, 0)) {
      for (long i = Spawn.openNumbers().size(); i < limit - 100; i++) {
        Fd copy = any.duplicate();
        hoard.add(copy);
      }
      receive();
      assertThat(messages.fdsWereDropped()).isTrue();
    } finally {
      Fd.closeAll(hoard);
    }
    List<Fd> fds = messages.takeFds();
    assertThat(fds.size()).isBetween(1, 110);
    Fd.closeAll(fds);
  }

  private static long openFilesLimit() throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/limits"))) {
      return lines
          .filter(line -> line.startsWith("Max open files"))
          .mapToLong(line -> Long.parseLong(line.split(" +")[3]))
          .findFirst()
          .orElseThrow();
    }
  }
}
