package qtfs.rexec;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class MessageCodecTest {
  private static final List<String> NAMES =
      List.of(
          "c01-rexec-echo",
          "c02-rexec-exit-7",
          "c03-rexec-signal-death",
          "c05-rexec-files",
          "c06-rexec-handshake-env",
          "c07-rexec-not-found",
          "c09-rexec-client-killed",
          "c10-rexec-long-argv",
          "d01-rexec-across-hosts");

  /** The fields that a message names; what is in the others of a C program is chance. */
  private static byte[] named(Message message, byte[] header) {
    boolean[] named = new boolean[6];
    named[0] = true;
    named[3] = true;
    switch (message) {
      case Message.Exec _ -> Arrays.fill(named, 0, 4, true);
      case Message.PipeMessage _ -> named[2] = true;
      case Message.PidMap _ -> named[5] = true;
      case Message.Kill _ -> named[4] = true;
      case Message.Handshake _, Message.Signal _, Message.Resize _, Message.Echo _ ->
          named[3] = true;
    }
    byte[] copy = header.clone();
    for (int field = 0; field < named.length; field++) {
      if (!named[field]) {
        Arrays.fill(copy, 4 * field, 4 * field + 4, (byte) 0);
      }
    }
    return copy;
  }

  @Test
  void readsAndWritesWhatTheCProgramsSaid() throws IOException {
    for (String name : NAMES) {
      for (String direction : List.of(".rexec-server", ".server-rexec")) {
        byte[] recorded = Vectors.bytes(name + direction);
        int at = 0;
        for (Message message : Vectors.messages(name + direction)) {
          byte[] ours = message.encode();
          byte[] theirs = Arrays.copyOfRange(recorded, at, at + ours.length);
          System.arraycopy(named(message, Arrays.copyOf(theirs, 24)), 0, theirs, 0, 24);
          assertThat(ours).as(name + direction + " at " + at).isEqualTo(theirs);
          at += ours.length;
        }
        assertThat(at).isEqualTo(recorded.length);
      }
    }
  }

  @Test
  void knowsTheMessagesOfAWholeCall() throws IOException {
    assertThat(Vectors.messages("c01-rexec-echo.rexec-server"))
        .containsExactly(
            new Message.Exec(List.of("/bin/echo", "hello"), "{ \"Files\": [ ] }"),
            new Message.PipeMessage(1),
            new Message.PipeMessage(2),
            Message.Handshake.GO);
    List<Message> answers = Vectors.messages("c03-rexec-signal-death.server-rexec");
    assertThat(answers.get(0))
        .isInstanceOfSatisfying(
            Message.PidMap.class, pidMap -> assertThat(pidMap.capabilities()).isZero());
    assertThat(answers.get(1)).isEqualTo(new Message.Kill(137));
    assertThat(Vectors.messages("c04-rexec-refused.rexec-server")).hasSize(3);
  }

  @Test
  void marksAServerOfOurs() throws IOException {
    Message.PidMap pidMap = new Message.PidMap(77, Message.PidMap.TELLS_EVERY_END);
    byte[] bytes = pidMap.encode();
    assertThat(new String(bytes, 16, 4, ISO_8859_1)).isEqualTo("QTF2");
    assertThat(decode(bytes)).isEqualTo(pidMap);
  }

  /** As docs/protocol.md has them. */
  @ParameterizedTest
  @MethodSource("extension")
  void writesTheBytesOfTheExtension(Message message, String golden) throws IOException {
    assertThat(HexFormat.of().formatHex(message.encode())).isEqualTo(golden.replace(" ", ""));
    assertThat(decode(message.encode())).isEqualTo(message);
  }

  static List<Arguments> extension() {
    return List.of(
        Arguments.of(
            new Message.PidMap(77, Message.PidMap.ALWAYS | Message.PidMap.TERMINAL),
            "5d5a0000 3f000000 00000000 00000000 51544632 4d000000"),
        Arguments.of(
            new Message.Kill(7, Message.Kill.End.EXITED),
            "5b5a0000 00000000 00000000 00000000 07000000 51544632"),
        Arguments.of(
            new Message.Kill(137, Message.Kill.End.SIGNALED),
            "5b5a0000 01000000 00000000 00000000 89000000 51544632"),
        Arguments.of(
            new Message.Kill(124, Message.Kill.End.TIMED_OUT),
            "5b5a0000 02000000 00000000 00000000 7c000000 51544632"),
        Arguments.of(
            new Message.Signal(15), "605a0000 00000000 00000000 00000000 0f000000 00000000"),
        Arguments.of(
            new Message.Resize(24, 80), "615a0000 18000000 50000000 00000000 00000000 00000000"),
        Arguments.of(new Message.Echo(), "625a0000 00000000 00000000 00000000 00000000 00000000"));
  }

  @Test
  void takesAnEndThatItDoesNotKnowForUntold() throws IOException {
    byte[] bytes = new Message.Kill(1, Message.Kill.End.EXITED).encode();
    bytes[4] = 99;
    assertThat(decode(bytes)).isEqualTo(new Message.Kill(1));
  }

  @Test
  void keepsArgumentsThatAreNoText() throws IOException {
    Message.Exec exec = new Message.Exec(List.of("x", "", "\u00ff\u0080"), FilesJson.NONE);
    byte[] bytes = exec.encode();
    assertThat(bytes[24 + 3] & 0xff).isEqualTo(0xff);
    assertThat(decode(bytes)).isEqualTo(exec);
  }

  private static Message decode(byte[] bytes) throws ProtocolException {
    byte[] header = Arrays.copyOf(bytes, 24);
    assertThat(MessageCodec.dataLength(header)).isEqualTo(bytes.length - 24);
    return MessageCodec.decode(header, Arrays.copyOfRange(bytes, 24, bytes.length));
  }

  @ParameterizedTest
  @CsvSource({
    "0x5a5a, -1, false",
    "0x5a5a, 0, true",
    "0x5a5a, 1048576, true",
    "0x5a5a, 1048577, false",
    "0x5a5a, 2147483647, false",
    "0x5a5b, -1, false",
    "0x5a5b, 0, true",
    "0x5a5b, 1, false",
    "0x5a5c, 0, true",
    "0x5a5c, 1, false",
    "0x5a5d, 0, true",
    "0x5a5d, 2147483647, false",
    "0x5a5e, 0, false",
    "0x5a5e, 1, true",
    "0x5a5e, 2, false",
    "0x5a60, 0, true",
    "0x5a60, 1, false",
    "0x5a61, 0, true",
    "0x5a61, -1, false",
    "0x5a62, 0, true",
    "0x5a62, 1, false",
    "0x5a63, 0, false",
    "0x5a59, 0, false",
    "0x5a5f, 0, false",
    "0x0, 0, false",
    "0x7fffffff, 0, false",
  })
  void checksTypeAndLengthBeforeAnythingElse(String type, int length, boolean accepted)
      throws ProtocolException {
    byte[] header = MessageCodec.header(Integer.decode(type), 1, 0, 0, 0, 0);
    ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).putInt(12, length);
    if (accepted) {
      assertThat(MessageCodec.dataLength(header)).isEqualTo(length);
    } else {
      assertThatThrownBy(() -> MessageCodec.dataLength(header))
          .isInstanceOf(ProtocolException.class);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 1, 3, 4, 1000, Integer.MAX_VALUE, Integer.MIN_VALUE})
  void refusesAnArgcThatIsNotTheNumberOfArguments(int argc) {
    byte[] header = MessageCodec.header(MessageCodec.EXEC, argc, 0, 0, 0, 0);
    assertThatThrownBy(() -> MessageCodec.decode(header, "a\0b\0{}".getBytes(ISO_8859_1)))
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining("argc " + argc);
  }

  @Test
  void refusesAnUnterminatedArgument() {
    byte[] header = MessageCodec.header(MessageCodec.EXEC, 1, 0, 0, 0, 0);
    assertThatThrownBy(() -> MessageCodec.decode(header, "abc".getBytes(ISO_8859_1)))
        .isInstanceOf(ProtocolException.class);
    assertThatThrownBy(() -> MessageCodec.decode(header, new byte[0]))
        .isInstanceOf(ProtocolException.class);
  }

  @Test
  void cannotSayNothing() {
    List<String> none = new ArrayList<>();
    assertThatThrownBy(() -> new Message.Exec(none, FilesJson.NONE))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
