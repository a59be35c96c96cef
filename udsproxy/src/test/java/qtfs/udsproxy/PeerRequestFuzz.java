package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import qtfs.udsproxy.connector.InvalidRequestException;

/**
 * Fuzz target: the first bytes of a connection are a request, which can be written and read again,
 * or a {@link ProtocolException} or {@link InvalidRequestException}.
 */
public final class PeerRequestFuzz {
  private PeerRequestFuzz() {}

  /** Called by the fuzzer, and for each kept input by {@link FuzzCorpusTest}. */
  public static void fuzzerTestOneInput(byte[] input) throws IOException {
    ByteBuf in = Unpooled.wrappedBuffer(input);
    if (input.length < Frame.HEADER_LENGTH) {
      return;
    }
    PeerRequest request;
    try {
      int length = PeerRequest.length(in);
      if (length > input.length) {
        return;
      }
      request = PeerRequest.decode(in);
      if (in.readerIndex() != length) {
        throw new AssertionError(request + " is not of " + length + " bytes");
      }
    } catch (ProtocolException | InvalidRequestException e) {
      return;
    }
    ByteBuf out = Unpooled.buffer();
    request.encode(out);
    byte[] written = ByteBufUtil.getBytes(out);
    PeerRequest again = PeerRequest.decode(out);
    if (!again.equals(request)
        || PeerRequest.length(Unpooled.wrappedBuffer(written)) != written.length) {
      throw new AssertionError(request + " and " + again);
    }
  }
}
