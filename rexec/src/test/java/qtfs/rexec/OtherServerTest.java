package qtfs.rexec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import qtfs.linux.Fd;
import qtfs.linux.Poll;
import qtfs.linux.UnixListener;
import qtfs.udsproxy.connector.RemoteConnector;

/** The client with servers that behave as a C server may, or as none should. */
final class OtherServerTest {
  private static final Message.PidMap C_PID_MAP = new Message.PidMap(4711, 0);

  private final Path dir;
  private final UnixListener listener;
  private CompletableFuture<Boolean> played = new CompletableFuture<>();

  OtherServerTest(@TempDir Path dir) throws IOException {
    this.dir = dir;
    Files.createDirectory(dir.resolve("rexec"));
    listener = UnixListener.bind(dir.resolve("rexec/rexec_uds.sock"), 1);
  }

  @AfterEach
  void tearDown() throws Exception {
    assertThat(Harness.get(played)).isTrue();
    listener.close();
  }

  private interface Script {
    void play(MessageChannel channel, Request request) throws IOException;
  }

  /** Takes one request and goes on by the script. */
  private void serve(Script script) {
    played =
        Harness.background(
            () -> {
              Poll.readable(Harness.LIMIT, listener.number());
              try (Fd connection = Fd.own(listener.accept(true));
                  MessageChannel channel = new MessageChannel(connection);
                  Request request =
                      Objects.requireNonNull(
                          Request.receive(channel, Deadline.after(Harness.LIMIT)))) {
                script.play(channel, request);
              }
              return true;
            });
  }

  private static void say(MessageChannel channel, Message message) throws IOException {
    channel.send(message, List.of());
  }

  private static void sayBytes(MessageChannel channel, byte[] bytes) throws IOException {
    assertThat(Harness.writeAll(channel.socket().duplicate(), bytes)).isTrue();
  }

  private static void awaitHandshake(MessageChannel channel) throws IOException {
    try (var received = channel.receive(Deadline.after(Harness.LIMIT))) {
      assertThat(received).isNotNull();
    }
  }

  private Harness.Outcome call() throws Exception {
    return Harness.call(dir, new byte[0], false, List.of(), "/bin/x");
  }

  @Test
  void isNotAskedToExplainIfItWouldRun() throws Exception {
    serve(
        (channel, request) -> {
          say(channel, C_PID_MAP);
          try (var received = channel.receive(Deadline.after(Harness.LIMIT))) {
            assertThat(Objects.requireNonNull(received).message())
                .isEqualTo(Message.Handshake.GIVE_UP);
          }
        });
    RemoteConnector connector = new RemoteConnector(dir.toString(), false);
    Explain explain = new Explain(connector, dir.resolve("rexec").toString());
    assertThatThrownBy(() -> explain.ask(List.of("/bin/x"), Wishes.USUAL))
        .hasMessageContaining("cannot explain");
  }

  @Test
  void refusesWithoutAWord() throws Exception {
    serve((channel, request) -> {});
    Harness.Outcome outcome = call();
    assertThat(outcome.code()).isEqualTo(126);
    assertThat(outcome.complaint()).startsWith("/bin/x: refused by the server");
  }

  @Test
  void resetsTheConnection() throws Exception {
    serve(
        (channel, request) -> {
          say(channel, C_PID_MAP);
          // Closed with a handshake unread: that is a reset.
          Poll.readable(Harness.LIMIT, channel.socket());
        });
    Harness.Outcome outcome = call();
    assertThat(outcome.code()).isEqualTo(125);
    assertThat(outcome.complaint()).contains("the link to the program was lost");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 23})
  void endsInsideAMessage(int length) throws Exception {
    serve((channel, request) -> sayBytes(channel, Arrays.copyOf(C_PID_MAP.encode(), length)));
    assertThat(call().code()).isEqualTo(125);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 23})
  void endsInsideTheLastMessage(int length) throws Exception {
    serve(
        (channel, request) -> {
          say(channel, C_PID_MAP);
          awaitHandshake(channel);
          sayBytes(channel, Arrays.copyOf(new Message.Kill(0).encode(), length));
        });
    assertThat(call().code()).isEqualTo(125);
  }

  @Test
  void talksGarbage() throws Exception {
    serve((channel, request) -> sayBytes(channel, "HTTP/1.1 400 Bad Request\r\n".getBytes(UTF_8)));
    Harness.Outcome outcome = call();
    assertThat(outcome.code()).isEqualTo(125);
    assertThat(outcome.complaint()).contains("unknown message type");
  }

  @Test
  void answersWithAnotherMessage() throws Exception {
    serve((channel, request) -> say(channel, new Message.Kill(0)));
    assertThat(call().code()).isEqualTo(125);
  }

  @Test
  void tellsTheEndBeforeTheOutputIsRead() throws Exception {
    byte[] output = new byte[60_000];
    Arrays.fill(output, (byte) 'x');
    serve(
        (channel, request) -> {
          say(channel, C_PID_MAP);
          awaitHandshake(channel);
          say(channel, new Message.Kill(3));
          Fd stdout = Objects.requireNonNull(request.streams().get(1));
          assertThat(Harness.writeAll(stdout.duplicate(), output)).isTrue();
          assertThat(Harness.writeAll(request.stderr().duplicate(), "late".getBytes(UTF_8)))
              .isTrue();
        });
    Harness.Outcome outcome = call();
    assertThat(outcome.code()).isEqualTo(3);
    assertThat(outcome.output()).hasSize(output.length);
    assertThat(outcome.stderr()).isEqualTo("late");
  }

  @Test
  void forgetsToTellTheEnd() throws Exception {
    serve(
        (channel, request) -> {
          say(channel, C_PID_MAP);
          awaitHandshake(channel);
          request.close();
          assertThat(channel.receive(Deadline.after(Harness.LIMIT))).isNull();
        });
    Harness.Outcome outcome = call();
    assertThat(outcome.code()).isEqualTo(125);
    assertThat(outcome.complaint()).contains("does not tell how it ended");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-t",
        "--cwd=/",
        "--env=A=1",
        "--clear-env",
        "--user=root",
        "--nice=1",
        "--timeout=1s",
        "--kill-grace=1s",
      })
  void isACServerThatCannotDoWhatIsAskedFor(String option) throws Exception {
    serve(
        (channel, request) -> {
          say(channel, C_PID_MAP);
          try (var received = channel.receive(Deadline.after(Harness.LIMIT))) {
            assertThat(Objects.requireNonNull(received).message())
                .isEqualTo(Message.Handshake.GIVE_UP);
          }
        });
    Manner manner = Harness.options(option, "/bin/x").manner();
    Harness.Outcome outcome = Harness.call(dir, manner, new byte[0], false, List.of(), "/bin/x");
    assertThat(outcome.code()).isEqualTo(125);
    assertThat(outcome.complaint())
        .startsWith("/bin/x: not started, ")
        .contains("cannot do " + option.replaceAll("=.*", "") + ";");
  }

  @ParameterizedTest
  @ValueSource(strings = {"-T", "--wait=exit", "--wait=eof", "--same-signal"})
  void isACServerThatNeedNotKnowWhatIsAskedFor(String option) throws Exception {
    serve(
        (channel, request) -> {
          say(channel, C_PID_MAP);
          awaitHandshake(channel);
          say(channel, new Message.Kill(3));
        });
    Manner manner = Harness.options(option, "/bin/x").manner();
    assertThat(Harness.call(dir, manner, new byte[0], false, List.of(), "/bin/x").code())
        .isEqualTo(3);
  }

  /** A proxy that is killed ends the output early, and looks like its end. */
  @Test
  void losesTheLinkBehindItsLastMessage() throws Exception {
    serve(
        (channel, request) -> {
          say(channel, new Message.PidMap(4711, Message.PidMap.ALWAYS));
          awaitHandshake(channel);
          say(channel, new Message.Kill(0, Message.Kill.End.EXITED));
        });
    Harness.Outcome outcome = call();
    assertThat(outcome.code()).isEqualTo(125);
    assertThat(outcome.complaint()).contains("lost after its end (exit code 0)");
  }

  @Test
  void confirmsThatNothingIsLost() throws Exception {
    serve(
        (channel, request) -> {
          say(channel, new Message.PidMap(4711, Message.PidMap.ALWAYS));
          awaitHandshake(channel);
          say(channel, new Message.Kill(7, Message.Kill.End.EXITED));
          request.close();
          try (var received = channel.receive(Deadline.after(Harness.LIMIT))) {
            assertThat(Objects.requireNonNull(received).message()).isEqualTo(new Message.Echo());
          }
          say(channel, new Message.Echo());
        });
    assertThat(call().code()).isEqualTo(7);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void losesTheLinkAfterEachOfItsMessages(boolean started) throws Exception {
    serve(
        (channel, request) -> {
          say(channel, new Message.PidMap(4711, Message.PidMap.ALWAYS));
          if (started) {
            awaitHandshake(channel);
          }
        });
    Harness.Outcome outcome = call();
    assertThat(outcome.code()).isEqualTo(125);
    assertThat(outcome.complaint()).isNotEmpty();
  }
}
