package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/**
 * Fuzz target: whatever the peer says of who has asked is fit for a line of the log, and can be
 * written and read again.
 */
public final class RequesterFuzz {
  private RequesterFuzz() {}

  /** Called by the fuzzer, and for each kept input by {@link FuzzCorpusTest}. */
  public static void fuzzerTestOneInput(byte[] input) {
    if (input.length < Frame.FROM_LENGTH || input.length > Frame.MAX_FROM) {
      return;
    }
    Requester requester = Requester.decode(Unpooled.wrappedBuffer(input));
    boolean printable = requester.toString().chars().allMatch(c -> c >= ' ' && c < 0x7f);
    ByteBuf out = Unpooled.buffer();
    requester.encode(out);
    if (!printable
        || requester.command().length() > Requester.MAX_COMMAND
        || out.readableBytes() > Frame.MAX_FROM
        || !Requester.decode(out).equals(requester)) {
      throw new AssertionError(requester);
    }
  }
}
