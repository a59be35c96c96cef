package qtfs.udsproxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.net.DatagramPacket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.newsclub.net.unix.AFUNIXDatagramSocket;
import org.newsclub.net.unix.AFUNIXSocketAddress;
import qtfs.linux.Fd;
import qtfs.linux.Poll;
import qtfs.linux.UnixListener;
import qtfs.testing.Await;
import qtfs.testing.Ports;

/** The program as a service: what it does on signals, on changes, and for its manager. */
final class ServiceTest {
  @TempDir Path directory;
  private ServedHost host;
  private UnixListener target;

  @BeforeEach
  void open() throws Exception {
    host = new ServedHost(directory);
    target = host.listen();
  }

  @AfterEach
  void close() {
    target.close();
    host.close();
  }

  private String allowing() {
    return "[Udsaccept]\nPath=" + directory + "\n";
  }

  private void assertRefused() {
    assertThatThrownBy(() -> host.connectFromPeer(target)).isInstanceOf(IOException.class);
  }

  private void assertServed() throws IOException {
    try (Fd client = host.connectFromPeer(target);
        Fd server = ProxyPair.accept(target)) {
      ServedHost.assertCarries(client, server);
    }
  }

  // ---- reload

  @Test
  void aHangUpReadsTheWhitelistAgain() throws Exception {
    host.whitelist("");
    try (DaemonProcess daemon = host.start("--no-watch")) {
      assertRefused();
      host.whitelist("[Udsaccept]\nPath=here\n[Open]\nPath=there\n");
      daemon.signal("HUP");
      String stays = "the whitelist stays as it is: " + host.whitelistFile();
      daemon.awaitSaid(stays + ":4:6: ");
      daemon.awaitSaid(stays + ":2:6: ");
      assertRefused();
      host.whitelist(allowing());
      daemon.signal("HUP");
      daemon.awaitSaid("+ [Udsaccept] Path=" + directory);
      daemon.awaitSaid("read again: 1 added, 0 removed");
      try (Fd client = host.connectFromPeer(target);
          Fd server = ProxyPair.accept(target)) {
        host.whitelist("");
        daemon.signal("HUP");
        daemon.awaitSaid("read again: 0 added, 1 removed");
        assertRefused();
        ServedHost.assertCarries(client, server);
      }
    }
  }

  @Test
  void aChangeIsNoticed() throws Exception {
    Files.delete(host.whitelistFile());
    try (DaemonProcess daemon = host.start()) {
      assertRefused();
      host.whitelist(allowing());
      daemon.awaitSaid("read again: 1 added, 0 removed");
      assertServed();
      Path next = Files.writeString(directory.resolve("next"), "Path=/no/group\n");
      Files.move(next, host.whitelistFile(), StandardCopyOption.ATOMIC_MOVE);
      daemon.awaitSaid("stays as it is: " + host.whitelistFile() + ":1:");
      assertServed();
      Files.delete(host.whitelistFile());
      daemon.awaitSaid("read again: 0 added, 1 removed");
      assertRefused();
    }
  }

  // ---- the service manager

  private static String receive(AFUNIXDatagramSocket manager) throws IOException {
    DatagramPacket packet = new DatagramPacket(new byte[4096], 4096);
    manager.receive(packet);
    return new String(packet.getData(), 0, packet.getLength(), UTF_8);
  }

  private static String receiveStep(AFUNIXDatagramSocket manager) throws IOException {
    String message = receive(manager);
    while (message.equals("WATCHDOG=1")) {
      message = receive(manager);
    }
    return message;
  }

  @Test
  void theManagerIsToldOfEachStepAndThatItLives() throws Exception {
    Path notify = directory.resolve("notify");
    try (AFUNIXDatagramSocket manager = AFUNIXDatagramSocket.newInstance()) {
      manager.bind(AFUNIXSocketAddress.of(notify));
      manager.setSoTimeout(30_000);
      List<String> managed = List.of("env", "NOTIFY_SOCKET=" + notify, "WATCHDOG_USEC=300000");
      try (DaemonProcess daemon = host.startBy(managed, "--close-timeout=30")) {
        assertThat(receiveStep(manager)).startsWith("READY=1\nSTATUS=listening on ");
        assertThat(receive(manager)).isEqualTo("WATCHDOG=1");
        daemon.signal("HUP");
        assertThat(receiveStep(manager)).startsWith("RELOADING=1\nMONOTONIC_USEC=");
        assertThat(receiveStep(manager)).startsWith("READY=1\n");
        try (Fd client = host.connect(target);
            Fd server = ProxyPair.accept(target)) {
          daemon.terminate();
          assertThat(receiveStep(manager))
              .startsWith("STOPPING=1\nSTATUS=SIGTERM: ")
              .endsWith("EXTEND_TIMEOUT_USEC=40000000");
          assertThat(receive(manager)).as("while it drains").isEqualTo("WATCHDOG=1");
          ServedHost.assertCarries(client, server);
        }
        assertThat(daemon.exitCode(20)).isZero();
      }
    }
  }

  /** A loop that hangs, and one that does not. */
  @Test
  void aLoopThatHangsIsNoLife() throws Exception {
    ProxyDaemon daemon =
        ProxyDaemon.start(
            ProxyConfig.between(Ports.freeAddress(), Ports.freeAddress())
                .threads(2)
                .runDirectory(directory.resolve("own"))
                .deadlines(ProxyPair.DEADLINES)
                .build());
    try {
      Await.until("both answer", daemon::isAlive);
      CountDownLatch gate = new CountDownLatch(1);
      Runnable hanging = () -> assertThat(Await.open(gate)).isTrue();
      Future<?> hangs = daemon.shared().loops().get(1).eventLoop().submit(hanging);
      Await.until("what was asked before is answered", daemon::isAlive);
      assertThat(daemon.isAlive()).isFalse();
      assertThat(daemon.isAlive()).isFalse();
      gate.countDown();
      hangs.sync();
      Await.until("it answers again", daemon::isAlive);
    } finally {
      daemon.stop();
    }
  }

  // ---- its death

  @Test
  void diesAndReturnsWithoutItsPeerStartingAgain() throws Exception {
    try (DaemonProcess daemon = host.start();
        Fd client = host.connectFromPeer(target);
        Fd _ = ProxyPair.accept(target)) {
      daemon.kill();
      assertThat(Poll.readable(Duration.ofSeconds(10), client)[0]).isNotZero();
      assertRefused();
    }
    try (DaemonProcess _ = host.start()) {
      assertServed();
    }
  }

  // ---- drain

  @Test
  void drainsUntilTheLastSessionHasEnded() throws Exception {
    try (DaemonProcess daemon = host.start("--close-timeout=60")) {
      try (Fd client = host.connect(target);
          Fd server = ProxyPair.accept(target)) {
        daemon.terminate();
        daemon.awaitSaid("SIGTERM: takes no new work, 1 under way");
        assertThat(host.run().resolve("remote_uds.sock")).doesNotExist();
        assertRefused();
        daemon.awaitSaid("this proxy is about to end");
        daemon.signal("HUP");
        daemon.awaitSaid("SIGHUP: not read again");
        ServedHost.assertCarries(client, server);
      }
      assertThat(daemon.exitCode(20)).isZero();
      assertThat(host.left()).containsExactly("uds.lock");
      assertThat(daemon.stderr()).endsWith("stopped\n").doesNotContain("ends what is still");
    }
  }

  @Test
  void aSecondSignalEndsItAtOnce() throws Exception {
    try (DaemonProcess daemon = host.start("--close-timeout=3600");
        Fd client = host.connect(target);
        Fd server = ProxyPair.accept(target)) {
      daemon.terminate();
      daemon.awaitSaid("takes no new work");
      ServedHost.assertCarries(client, server);
      daemon.signal("INT");
      assertThat(daemon.exitCode(20)).isZero();
      assertThat(Sockets.readAll(client)).isEmpty();
      assertThat(host.left()).containsExactly("uds.lock");
    }
  }

  @Test
  void endsWhatDoesNotEndInTime() throws Exception {
    try (DaemonProcess daemon = host.start("--close-timeout=1");
        Fd client = host.connect(target);
        Fd _ = ProxyPair.accept(target)) {
      daemon.terminate();
      assertThat(daemon.exitCode(20)).isZero();
      assertThat(Sockets.readAll(client)).isEmpty();
      assertThat(daemon.stderr()).contains("ends what is still under way: 1");
      assertThat(host.left()).containsExactly("uds.lock");
    }
  }

  // ---- the log

  @Test
  void asJsonEveryLineIsAnObject() throws Exception {
    try (DaemonProcess daemon = host.start("--log-format=json", "--log-level=debug")) {
      assertServed();
      host.whitelist("Path=/no/group\n");
      daemon.awaitSaid("stays as it is");
      daemon.terminate();
      assertThat(daemon.exitCode(20)).isZero();
      assertThat(daemon.stderr().lines())
          .hasSizeGreaterThan(4)
          .allMatch(line -> line.startsWith("{\"time\":\"") && line.endsWith("}"));
      assertThat(daemon.stdout()).isEmpty();
    }
  }

  @Test
  void asJsonABadCommandLineIsAnObjectToo() throws Exception {
    try (DaemonProcess daemon =
        DaemonProcess.start(directory, List.of("--log-format", "json", "--no-such", "1"))) {
      assertThat(daemon.exitCode(30)).isEqualTo(255);
      assertThat(daemon.stderr())
          .hasLineCount(1)
          .startsWith("{\"time\":\"")
          .contains("\"level\":\"error\"");
    }
  }

  @Test
  void aLowerLevelIsSilent() throws Exception {
    try (DaemonProcess daemon =
        DaemonProcess.start(directory, host.arguments("--log-level=error"))) {
      Await.until("it serves", () -> Files.exists(host.run().resolve("remote_uds.sock")));
      assertServed();
      daemon.terminate();
      assertThat(daemon.exitCode(20)).isZero();
      assertThat(daemon.stderr()).doesNotContain("INFO", "WARN", "listening");
    }
  }

  // ---- check

  @Test
  void aCheckTouchesNothing() throws Exception {
    try (DaemonProcess check = DaemonProcess.start(directory, host.arguments("--check"))) {
      assertThat(check.exitCode(30)).as(check.stderr()).isZero();
      assertThat(check.stderr()).isEmpty();
      assertThat(host.run()).doesNotExist();
    }
  }

  @Test
  void aCheckTellsAllThatIsWrong() throws Exception {
    host.whitelist("[Udsaccept]\nPath=no;nor\n");
    Files.writeString(host.run(), "a file");
    List<String> arguments = host.arguments("--check");
    arguments.set(arguments.indexOf("127.0.0.1"), "192.0.2.1"); // RFC 5737: nobody's
    try (DaemonProcess check = DaemonProcess.start(directory, arguments)) {
      assertThat(check.exitCode(30)).isEqualTo(255);
      assertThat(check.stderr().lines())
          .hasSize(4)
          .allMatch(line -> line.startsWith("udsproxyd: "))
          .anyMatch(line -> line.contains(":2:6: "))
          .anyMatch(line -> line.contains(":2:9: "))
          .anyMatch(line -> line.contains("cannot listen on 192.0.2.1"))
          .anyMatch(line -> line.contains("the run directory " + host.run() + " is no directory"));
    }
  }
}
