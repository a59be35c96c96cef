package qtfs.dist;

import static java.util.concurrent.TimeUnit.MICROSECONDS;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/**
 * A program between the two hosts' networks that loses, delays and reorders their packets, as tc's
 * netem does in the kernels that have it. Stopped by a signal, it is a black hole.
 *
 * <p>Each host keeps its address, on a tun device whose packets socat brings here in datagrams.
 */
final class PoorLink {
  private static final Weather USUAL = new Weather(10, 0, 2_000, 8_000);
  private static final int SEED = 10;
  private static final int READ_WEATHER_MILLIS = 20;
  private static final int LONGEST_PACKET = 65_536;
  private static final int QUEUE_BYTES = 4 << 20;

  private static final String NEAR = "127.0.0.1";
  private static final String ON_A = "10.79.0.1";
  private static final String ON_B = "10.79.0.2";
  private static final int PORT_OF_LINK = 5001;
  private static final int PORT_OF_HOST = 5000;

  private final ScheduledExecutorService later = Executors.newSingleThreadScheduledExecutor();
  private final Random random = new Random(SEED);
  private volatile Weather weather = USUAL;

  /**
   * How bad a link is.
   *
   * @param lost of a thousand packets
   * @param twice of a thousand packets, carried twice
   * @param leastDelayMicros of a packet; between the two, so that one overtakes another
   * @param mostDelayMicros exclusive
   */
  record Weather(int lost, int twice, int leastDelayMicros, int mostDelayMicros) {
    static final Weather FAIR = new Weather(0, 0, 0, 1);
    static final Weather CUT = new Weather(1000, 0, 0, 1);

    static Weather read(Path file) throws IOException {
      String[] numbers = Files.readString(file).strip().split(" ");
      return new Weather(
          Integer.parseInt(numbers[0]),
          Integer.parseInt(numbers[1]),
          Integer.parseInt(numbers[2]),
          Integer.parseInt(numbers[3]));
    }

    /** Puts it in the place of what the file has said so far. */
    void write(Path file) throws IOException {
      Path other = file.resolveSibling(file.getFileName() + ".new");
      Files.writeString(other, lost + " " + twice + " " + leastDelayMicros + " " + mostDelayMicros);
      Files.move(other, file, StandardCopyOption.ATOMIC_MOVE);
    }
  }

  private PoorLink() {}

  /** Puts itself between the hosts; returns the program, for its signals. */
  static Running between(TwoHosts hosts) throws Exception {
    return between(hosts, "");
  }

  /**
   * The same, but as bad as a file says, whenever it is replaced: {@link Weather} in numbers.
   *
   * @param weather the file's path, or empty
   */
  static Running between(TwoHosts hosts, String weather) throws Exception {
    for (Host host : Host.values()) {
      String own = host == Host.A ? ON_A : ON_B;
      String move = "ip addr flush dev eth0 && ip addr add %s/24 dev eth0".formatted(own);
      Running.Result moved = hosts.sh(host, move);
      if (moved.code() != 0) {
        throw new IOException(moved.toString());
      }
    }
    Running link = hosts.start(Host.A, TwoHosts.java(PoorLink.class, weather));
    Await.until("the link is there: " + link.errors(), () -> !link.output().isEmpty());
    startTunnel(hosts, Host.B, ON_A, ON_B);
    startTunnel(hosts, Host.A, NEAR, NEAR);
    return link;
  }

  private static void startTunnel(TwoHosts hosts, Host host, String link, String own)
      throws Exception {
    String tun = "TUN:%s/24,iff-up,iff-no-pi".formatted(host.address);
    String udp = "UDP4:%s:%d,bind=%s:%d".formatted(link, PORT_OF_LINK, own, PORT_OF_HOST);
    Running socat = hosts.start(host, List.of("socat", "-b", "65536", tun, udp));
    Await.until(
        "the tunnel is up: " + socat.errors(),
        () -> hosts.sh(host, "ip -br addr show dev tun0").output().contains(host.address));
  }

  public static void main(String[] args) throws Exception {
    PoorLink link = new PoorLink();
    if (!args[0].isEmpty()) {
      link.follow(Path.of(args[0]));
    }
    DatagramChannel near = open(NEAR);
    DatagramChannel far = open(ON_A);
    Thread.ofPlatform().start(() -> link.carry(near, far, ON_B));
    Thread.ofPlatform().start(() -> link.carry(far, near, NEAR));
    System.out.println("ready");
  }

  private static DatagramChannel open(String address) throws IOException {
    return DatagramChannel.open()
        .setOption(StandardSocketOptions.SO_RCVBUF, QUEUE_BYTES)
        .bind(new InetSocketAddress(address, PORT_OF_LINK));
  }

  private void follow(Path file) throws IOException {
    weather = Weather.read(file);
    later.scheduleWithFixedDelay(
        () -> {
          try {
            weather = Weather.read(file);
          } catch (IOException e) {
            System.err.println("link: " + e);
          }
        },
        READ_WEATHER_MILLIS,
        READ_WEATHER_MILLIS,
        TimeUnit.MILLISECONDS);
  }

  private void carry(DatagramChannel from, DatagramChannel to, String address) {
    InetSocketAddress target = new InetSocketAddress(address, PORT_OF_HOST);
    try {
      while (true) {
        ByteBuffer packet = ByteBuffer.allocate(LONGEST_PACKET);
        Weather now = weather;
        if (from.receive(packet) != null && !happens(now.lost())) {
          packet.flip();
          later.schedule(() -> send(to, packet.slice(), target), delay(now), MICROSECONDS);
          if (happens(now.twice())) {
            later.schedule(() -> send(to, packet.slice(), target), delay(now), MICROSECONDS);
          }
        }
      }
    } catch (IOException e) {
      System.err.println("link: " + e);
    }
  }

  private boolean happens(int ofAThousand) {
    return random.nextInt(1000) < ofAThousand;
  }

  private int delay(Weather now) {
    return random.nextInt(now.leastDelayMicros(), now.mostDelayMicros());
  }

  private static @Nullable Void send(
      DatagramChannel to, ByteBuffer packet, InetSocketAddress target) throws IOException {
    to.send(packet, target);
    return null;
  }
}
