package qtfs.udsproxy;

import io.netty.channel.Channel;

/** A connection that carries data between the hosts, ended from outside when the daemon stops. */
interface Relay {
  /** The loop that it lives on. */
  ProxyLoop loop();

  /** The link to the peer's proxy. */
  Channel tcp();

  /** Closes both sides at once; on the loop's thread. What the kernel has taken still goes out. */
  void abort();
}
