package qtfs.rexec;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Fd;
import qtfs.linux.UnixSocket;
import qtfs.testing.OpenDescriptors;

/**
 * Fuzz target: however the bytes of messages are cut, and with whatever descriptors, a channel
 * receives the messages that they spell up to the first that is none, and keeps no descriptor.
 * {@link FuzzedPieces} tells what an input is.
 */
public final class MessageChannelFuzz {
  private MessageChannelFuzz() {}

  /** Called by the fuzzer, and for each kept input by {@link FuzzCorpusTest}. */
  public static void fuzzerTestOneInput(byte[] input) throws IOException {
    FuzzedPieces pieces = new FuzzedPieces(input);
    OpenDescriptors before = OpenDescriptors.now();
    List<Message> received = new ArrayList<>();
    boolean clean;
    try (UnixSocket.Pair pair = UnixSocket.pair();
        MessageChannel channel = new MessageChannel(pair.second())) {
      pieces.send(pair.first(), pair.first());
      UnixSocket.shutdownWrite(pair.first());
      clean = receive(channel, received);
    }
    before.awaitNoMore();
    List<Message> spelt = new ArrayList<>();
    boolean whole = decode(pieces.bytes(), spelt);
    if (clean != whole || !received.equals(spelt)) {
      throw new AssertionError(received + " instead of " + spelt);
    }
  }

  private static boolean receive(MessageChannel channel, List<Message> received)
      throws IOException {
    try {
      MessageChannel.@Nullable Received next;
      while ((next = channel.receive(Deadline.after(Session.REQUEST_LIMIT))) != null) {
        received.add(next.message());
        Fd.closeAll(next.fds());
      }
      return true;
    } catch (ProtocolException e) {
      return false;
    }
  }

  private static boolean decode(byte[] bytes, List<Message> messages) {
    try {
      int at = 0;
      while (at + MessageCodec.HEADER_LENGTH <= bytes.length) {
        byte[] header = Arrays.copyOfRange(bytes, at, at + MessageCodec.HEADER_LENGTH);
        at += header.length;
        int length = MessageCodec.dataLength(header);
        if (at + length > bytes.length) {
          return false;
        }
        messages.add(MessageCodec.decode(header, Arrays.copyOfRange(bytes, at, at + length)));
        at += length;
      }
      return at == bytes.length;
    } catch (ProtocolException e) {
      return false;
    }
  }
}
