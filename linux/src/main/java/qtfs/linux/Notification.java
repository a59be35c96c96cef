package qtfs.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static qtfs.linux.LinuxException.check;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a service tells the manager that has started it, as sd_notify(3) would: a datagram to {@code
 * NOTIFY_SOCKET}.
 *
 * <p>Without such a socket nothing happens, and a manager that does not listen is a line in the
 * log: neither keeps the service from its work. Any thread; waits for a full queue a few seconds at
 * most.
 */
public final class Notification {
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final @Nullable String socket;

  /**
   * To the socket of that name.
   *
   * @param socket a path, or {@code @} and an abstract name; null for nobody
   */
  public Notification(@Nullable String socket) {
    this.socket = socket == null || socket.isEmpty() ? null : socket;
  }

  /** To whoever has started this process. */
  public static Notification fromEnvironment() {
    return new Notification(System.getenv("NOTIFY_SOCKET"));
  }

  /** The service does its work; the end of a start and of a reload. */
  public void ready(String status) {
    send("READY=1\nSTATUS=" + status);
  }

  /** The service reads its files again. */
  public void reloading() {
    // System.nanoTime is CLOCK_MONOTONIC here, which is what the manager compares it with.
    send("RELOADING=1\nMONOTONIC_USEC=" + System.nanoTime() / 1000);
  }

  /** What the service does, in a line; nothing else has changed. */
  public void status(String status) {
    send("STATUS=" + status);
  }

  /** The service has begun to stop. */
  public void stopping() {
    send("STOPPING=1");
  }

  /** The service has begun to stop, and the manager is to be patient for that long. */
  public void stopping(String status, Duration patience) {
    send("STOPPING=1\nSTATUS=" + status + "\nEXTEND_TIMEOUT_USEC=" + patience.toNanos() / 1000);
  }

  /** The service is alive. */
  void watchdog() {
    send("WATCHDOG=1");
  }

  private void send(String message) {
    if (socket == null) {
      return;
    }
    try (Fd fd = UnixSocket.open(UnixSocket.Type.DGRAM, false);
        Arena arena = Arena.ofConfined()) {
      int connected =
          socket.startsWith("@")
              ? UnixSocket.connectAbstract(fd, socket.substring(1))
              : UnixSocket.connect(fd, socket);
      check(connected, "connect");
      MemorySegment bytes = arena.allocateFrom(JAVA_BYTE, message.getBytes(UTF_8));
      long sent = fd.write(bytes, bytes.byteSize());
      if (sent == -Errno.EAGAIN && Poll.writable(PATIENCE, fd)) {
        sent = fd.write(bytes, bytes.byteSize());
      }
      check(sent, "send");
    } catch (LinuxException e) {
      Log.warn("cannot tell NOTIFY_SOCKET " + socket + ": " + e.getMessage());
    }
  }
}
