package qtfs.udsproxy;

import io.netty.channel.ChannelException;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.LinuxSocket;
import io.netty.channel.epoll.VSockAddress;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.SocketAddress;
import java.net.UnknownHostException;

/**
 * One end of the link between two proxies: where the one listens, or the other is reached; it
 * decides the transport. Names have been resolved. Immutable.
 */
public sealed interface Endpoint {
  /** Where it listens. */
  int port();

  /** As sockets have it. */
  SocketAddress address();

  /** Whether a connection that comes from an address comes from this end's host. */
  boolean isHostOf(SocketAddress from);

  /** Whether the network between this end and its peer may be somebody else's. */
  boolean leavesTheHost();

  /**
   * Listens for a moment, to find out whether it could be done.
   *
   * @throws StartException if it could not be, with what to do
   */
  void requireFree() throws StartException;

  /**
   * The same at whatever port is free.
   *
   * @throws StartException if the address is not this host's own
   */
  void requireOwn() throws StartException;

  /** The line for whoever wanted to listen here. */
  StartException cannotListen(Exception cause);

  /**
   * What a command line means: a number is a CID, -1 any, all else an IP address or a host name.
   *
   * @throws UnknownHostException if it is neither an address nor a known name
   */
  static Endpoint of(String host, int port) throws UnknownHostException {
    if (!host.matches("-?[0-9]+")) {
      return new Tcp(new InetSocketAddress(InetAddress.getByName(host), port));
    }
    try {
      return new Vsock(host.equals("-1") ? Vsock.ANY : Integer.parseUnsignedInt(host), port);
    } catch (NumberFormatException e) {
      throw new UnknownHostException("no vsock CID");
    }
  }

  /** The end that a channel's address stands for. */
  static Endpoint of(SocketAddress address) {
    return switch (address) {
      case InetSocketAddress tcp -> new Tcp(tcp);
      case VSockAddress vsock -> new Vsock(vsock.getCid(), vsock.getPort());
      default -> throw new IllegalArgumentException("neither TCP nor vsock: " + address);
    };
  }

  /** An end of TCP. */
  record Tcp(InetSocketAddress address) implements Endpoint {
    @Override
    public int port() {
      return address.getPort();
    }

    @Override
    public boolean isHostOf(SocketAddress from) {
      return from instanceof InetSocketAddress tcp && tcp.getAddress().equals(address.getAddress());
    }

    @Override
    public boolean leavesTheHost() {
      return !address.getAddress().isLoopbackAddress();
    }

    @Override
    public void requireFree() throws StartException {
      try {
        listen(address);
      } catch (IOException e) {
        throw cannotListen(e);
      }
    }

    @Override
    public void requireOwn() throws StartException {
      try {
        listen(new InetSocketAddress(address.getAddress(), 0));
      } catch (IOException e) {
        throw new StartException(
            "cannot listen on "
                + host()
                + ": "
                + e.getMessage()
                + "; give an address of this host's own");
      }
    }

    private static void listen(InetSocketAddress address) throws IOException {
      try (ServerSocket socket = new ServerSocket()) {
        socket.setReuseAddress(true);
        socket.bind(address, 1);
      }
    }

    @Override
    public StartException cannotListen(Exception cause) {
      return new StartException(
          "cannot listen on "
              + this
              + ": "
              + cause.getMessage()
              + "; is the address this host's own, and is the port free?");
    }

    /** As it is written in a URL. */
    @Override
    public String toString() {
      return (address.getAddress() instanceof Inet6Address ? "[" + host() + "]" : host())
          + ":"
          + port();
    }

    private String host() {
      return address.getAddress().getHostAddress();
    }
  }

  /**
   * An end of vsock, between a virtual machine and its host.
   *
   * @param cid unsigned: 1 this machine, 2 the host, or {@link #ANY}, where it listens
   */
  record Vsock(int cid, int port) implements Endpoint {
    static final int ANY = VSockAddress.VMADDR_CID_ANY;

    @Override
    public SocketAddress address() {
      return new VSockAddress(cid, port);
    }

    @Override
    public boolean isHostOf(SocketAddress from) {
      return from instanceof VSockAddress vsock && vsock.getCid() == cid;
    }

    /** The hypervisor carries it, who reads all memory anyway. */
    @Override
    public boolean leavesTheHost() {
      return false;
    }

    @Override
    public void requireFree() throws StartException {
      bind(port);
    }

    @Override
    public void requireOwn() throws StartException {
      bind(VSockAddress.VMADDR_PORT_ANY);
    }

    private void bind(int number) throws StartException {
      Epoll.ensureAvailability(); // has the calls
      try {
        LinuxSocket socket = LinuxSocket.newVSockStream();
        try {
          socket.bindVSock(new VSockAddress(cid, number));
        } finally {
          socket.close();
        }
      } catch (IOException | ChannelException e) {
        throw cannotListen(e);
      }
    }

    @Override
    public StartException cannotListen(Exception cause) {
      return new StartException(
          "cannot listen on "
              + this
              + ": "
              + (cause instanceof ChannelException && cause.getCause() instanceof IOException io
                      ? io
                      : cause)
                  .getMessage()
              + "; is the CID this machine's own (-1 is any of its own), is the port free, and is"
              + " the kernel's vsock module for this machine loaded (host: vhost_vsock, guest:"
              + " vmw_vsock_virtio_transport or its hypervisor's, CID 1: vsock_loopback)?");
    }

    @Override
    public String toString() {
      String number = Integer.toUnsignedString(port); // the kernel gives out all of 32 bits
      return "vsock " + (cid == ANY ? "any" : Integer.toUnsignedString(cid)) + ":" + number;
    }
  }
}
