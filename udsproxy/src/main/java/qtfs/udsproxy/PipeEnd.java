package qtfs.udsproxy;

/** Which end of a pipe an application has passed on, with the number it has on the wire. */
enum PipeEnd {
  READ(0),
  WRITE(1);

  private final int wire;

  PipeEnd(int wire) {
    this.wire = wire;
  }

  int wire() {
    return wire;
  }

  static PipeEnd fromWire(int number) throws ProtocolException {
    return switch (number) {
      case 0 -> READ;
      case 1 -> WRITE;
      default -> throw new ProtocolException("pipe direction " + number + ", must be 0 or 1");
    };
  }
}
