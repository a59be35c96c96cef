package qtfs.rexec;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.MessageIo;
import qtfs.linux.Spawn;
import qtfs.linux.UnixSocket;

/** Requests as they may arrive: cut, wrong, with too few or too many descriptors. */
final class RequestTest {
  private static final Message.Exec EXEC =
      new Message.Exec(List.of("/bin/echo", "hello"), FilesJson.NONE);

  @TempDir Path dir;
  private final UnixSocket.Pair pair;
  private final int openBefore;

  RequestTest() throws IOException {
    warmUp();
    openBefore = Spawn.openNumbers().size();
    pair = UnixSocket.pair();
  }

  /** Lets classes open what they open once. */
  private static void warmUp() throws IOException {
    try (UnixSocket.Pair both = UnixSocket.pair();
        MessageChannel channel = new MessageChannel(both.first())) {
      both.second().close();
      assertThat(Request.receive(channel, Deadline.NEVER)).isNull();
    }
    assertThatThrownBy(() -> FilesJson.read("x")).isInstanceOf(ProtocolException.class);
  }

  @AfterEach
  void leavesNoDescriptorOpen() {
    pair.close();
    assertThat(Spawn.openNumbers()).hasSize(openBefore);
  }

  /** Sends bytes one by one, the descriptors with the first. */
  private void sendSplit(byte[] bytes, List<Fd> fds, int split) throws IOException {
    try (MessageIo io = new MessageIo();
        Arena arena = Arena.ofConfined()) {
      var segment = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
      io.piece(0, segment.address(), split);
      assertThat(io.send(pair.first(), 1, fds)).isEqualTo(split);
      for (int i = split; i < bytes.length; i++) {
        io.piece(0, segment.address() + i, 1);
        assertThat(io.send(pair.first(), 1, List.of())).isEqualTo(1);
      }
    }
  }

  private Fd file(String name) throws IOException {
    return Fd.open(Files.writeString(dir.resolve(name), name), Fd.O_RDONLY);
  }

  private Request receive() throws IOException {
    try (MessageChannel channel = new MessageChannel(pair.second())) {
      Request request = Request.receive(channel, Deadline.after(Duration.ofSeconds(5)));
      return Objects.requireNonNull(request);
    }
  }

  @Test
  void arrivesHoweverItIsCut() throws IOException {
    byte[] exec = EXEC.encode();
    for (int split = 1; split <= exec.length; split++) {
      try (Fd in = file("in");
          Fd out = file("out");
          Fd err = file("err")) {
        sendSplit(exec, List.of(in), split);
        sendSplit(new Message.PipeMessage(1).encode(), List.of(out), split % 24 + 1);
        sendSplit(new Message.PipeMessage(2).encode(), List.of(err), split % 24 + 1);
        try (Request request = receive()) {
          assertThat(request.arguments()).containsExactly("/bin/echo", "hello");
          assertThat(request.streams().keySet()).containsExactly(0, 1, 2);
          assertThat(FileStatus.of(request.stderr()).sameFile(FileStatus.of(err))).isTrue();
        }
      }
    }
  }

  @Test
  void ofAMegabyteArrives() throws Exception {
    String longest = "x".repeat((1 << 20) - FilesJson.NONE.length() - 3);
    Message.Exec exec = new Message.Exec(List.of("a", longest), FilesJson.NONE);
    try (Fd fd = file("f")) {
      CompletableFuture<Boolean> sent =
          Harness.background(
              () -> {
                try (MessageChannel channel = new MessageChannel(pair.first())) {
                  channel.send(exec, List.of(fd));
                  channel.send(new Message.PipeMessage(2), List.of(fd));
                  channel.send(new Message.PipeMessage(1), List.of(fd));
                }
                return true;
              });
      try (Request request = receive()) {
        assertThat(request.arguments()).containsExactly("a", longest);
      }
      assertThat(Harness.get(sent)).isTrue();
    }
  }

  private void assertRefused(String why) {
    assertThatThrownBy(this::receive)
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining(why);
  }

  @Test
  void withoutADescriptorIsRefused() throws IOException {
    sendSplit(EXEC.encode(), List.of(), 24);
    assertRefused("0 descriptors");
  }

  @Test
  void withTwoDescriptorsOfAStreamIsRefused() throws IOException {
    try (Fd fd = file("f")) {
      sendSplit(new Message.PipeMessage(1).encode(), List.of(fd, fd), 24);
      assertRefused("2 descriptors");
    }
  }

  @Test
  void mayHaveFurtherDescriptorsWithExec() throws IOException {
    try (Fd in = file("in");
        Fd more = file("more")) {
      sendSplit(EXEC.encode(), List.of(in, more), 24);
      sendSplit(new Message.PipeMessage(1).encode(), List.of(in), 24);
      sendSplit(new Message.PipeMessage(2).encode(), List.of(in), 24);
      try (Request request = receive()) {
        assertThat(request.further()).hasSize(1);
        assertThat(FileStatus.of(request.further().getFirst()).sameFile(FileStatus.of(more)))
            .isTrue();
      }
    }
  }

  @Test
  void withOneStreamTwiceIsRefused() throws IOException {
    try (Fd fd = file("f")) {
      sendSplit(new Message.PipeMessage(1).encode(), List.of(fd), 24);
      sendSplit(new Message.PipeMessage(1).encode(), List.of(fd), 24);
      assertRefused("descriptor 1 twice");
    }
  }

  @Test
  void withAStreamThatThereIsNotIsRefused() throws IOException {
    for (int number : new int[] {-1, 0, 3, Integer.MAX_VALUE}) {
      try (Fd fd = file("f")) {
        sendSplit(new Message.PipeMessage(number).encode(), List.of(fd), 24);
        assertRefused("descriptor " + number);
      }
    }
  }

  @Test
  void withAnotherMessageInsideIsRefused() throws IOException {
    try (Fd fd = file("f")) {
      sendSplit(Message.Handshake.GO.encode(), List.of(fd), 24);
      assertRefused("another message");
    }
  }

  @Test
  void thatIsGarbageIsRefused() throws IOException {
    sendSplit("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(US_ASCII), List.of(), 10);
    assertRefused("unknown message type 0x20544547");
  }

  @Test
  void thatEndsInsideAMessageIsRefused() throws IOException {
    try (Fd fd = file("f")) {
      sendSplit(Arrays.copyOf(EXEC.encode(), 30), List.of(fd), 24);
      pair.first().close();
      assertRefused("ended inside a message");
    }
  }

  @Test
  void thatEndsBetweenItsMessagesIsRefused() throws IOException {
    try (Fd fd = file("f")) {
      sendSplit(EXEC.encode(), List.of(fd), 24);
      pair.first().close();
      assertRefused("ended inside a request");
    }
  }

  @Test
  void thatStopsIsGivenUp() throws IOException {
    try (Fd fd = file("f");
        MessageChannel channel = new MessageChannel(pair.second())) {
      sendSplit(EXEC.encode(), List.of(fd), 24);
      assertThatThrownBy(() -> Request.receive(channel, Deadline.after(Duration.ofMillis(50))))
          .hasMessageContaining("in time");
    }
  }
}
