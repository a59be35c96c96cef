package qtfs.linux;

/** The families of addresses that a socket of ours may have, with the kernel's number. */
public enum SocketFamily {
  UNIX(1, "unix"), // linux/socket.h
  INET(2, "IPv4"),
  INET6(10, "IPv6"),
  VSOCK(40, "vsock");

  private final int number;
  private final String words;

  SocketFamily(int number, String words) {
    this.number = number;
    this.words = words;
  }

  int number() {
    return number;
  }

  @Override
  public String toString() {
    return words;
  }
}
