package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.util.UncheckedBooleanSupplier;

/**
 * Chooses the buffers that channels receive into as another does, but small ones while memory is
 * scarce. One for all channels.
 */
final class FrugalReceiving implements RecvByteBufAllocator {
  /** As little as a connection without trouble needs to go on. */
  static final int LITTLE = 2048;

  private final RecvByteBufAllocator usual;
  private final Backlog backlog;

  FrugalReceiving(RecvByteBufAllocator usual, Backlog backlog) {
    this.usual = usual;
    this.backlog = backlog;
  }

  @Override
  @SuppressWarnings("deprecation") // Handle, in Netty's own interface
  public Handle newHandle() {
    return new Choice((ExtendedHandle) usual.newHandle());
  }

  /** Of one channel. */
  private final class Choice extends DelegatingHandle implements ExtendedHandle {
    private final ExtendedHandle extended;

    Choice(ExtendedHandle extended) {
      super(extended);
      this.extended = extended;
    }

    @Override
    public ByteBuf allocate(ByteBufAllocator allocator) {
      return backlog.isScarce() ? allocator.ioBuffer(LITTLE) : super.allocate(allocator);
    }

    @Override
    public boolean continueReading(UncheckedBooleanSupplier maybeMoreData) {
      return extended.continueReading(maybeMoreData);
    }
  }
}
