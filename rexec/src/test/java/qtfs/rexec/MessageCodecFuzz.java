package qtfs.rexec;

import java.util.Arrays;

/**
 * Fuzz target: the bytes of a message are one that can be written and read again, its numbers fit
 * for a pid file and an exit, or a {@link ProtocolException}.
 */
public final class MessageCodecFuzz {
  private MessageCodecFuzz() {}

  /** Called by the fuzzer, and for each kept input by {@link FuzzCorpusTest}. */
  public static void fuzzerTestOneInput(byte[] input) throws ProtocolException {
    if (input.length < MessageCodec.HEADER_LENGTH) {
      return;
    }
    byte[] header = Arrays.copyOf(input, MessageCodec.HEADER_LENGTH);
    Message message;
    try {
      int length = MessageCodec.dataLength(header);
      if (length < 0 || length > MessageCodec.MAX_DATA_LENGTH) {
        throw new AssertionError(length);
      }
      if (length > input.length - header.length) {
        return;
      }
      message = decode(header, input, length);
    } catch (ProtocolException e) {
      return;
    }
    assertIsFit(message);
    byte[] written = message.encode();
    byte[] head = Arrays.copyOf(written, MessageCodec.HEADER_LENGTH);
    Message again = decode(head, written, MessageCodec.dataLength(head));
    if (!again.equals(message)) {
      throw new AssertionError(message + " and " + again);
    }
  }

  private static Message decode(byte[] header, byte[] bytes, int length) throws ProtocolException {
    byte[] data = Arrays.copyOfRange(bytes, header.length, header.length + length);
    return MessageCodec.decode(header, data);
  }

  private static void assertIsFit(Message message) {
    boolean fit =
        switch (message) {
          case Message.Kill(int status, _) -> status >= 0 && status <= 255;
          case Message.PidMap(int pid, _) -> pid >= 0;
          case Message.Exec(var arguments, _) -> !arguments.isEmpty();
          case Message.PipeMessage _,
              Message.Handshake _,
              Message.Signal _,
              Message.Resize _,
              Message.Echo _ ->
              true;
        };
    if (!fit) {
      throw new AssertionError(message);
    }
  }
}
