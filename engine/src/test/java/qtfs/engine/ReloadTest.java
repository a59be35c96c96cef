package qtfs.engine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.DatagramPacket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.newsclub.net.unix.AFUNIXDatagramSocket;
import org.newsclub.net.unix.AFUNIXSocketAddress;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.Poll;
import qtfs.linux.UnixListener;
import qtfs.qtcfg.Role;
import qtfs.testing.Await;
import qtfs.udsproxy.ProxyConfig;
import qtfs.udsproxy.ProxyDaemon;
import qtfs.udsproxy.connector.RemoteConnector;
import qtfs.whitelist.Group;

/** What an engine does when its whitelist changes, and what it tells of that. */
final class ReloadTest {
  @TempDir Path directory;
  private Host host;
  private SimulatedServer kernel;

  @BeforeEach
  void load() throws IOException {
    host = Host.in(directory);
    kernel = host.kernel();
  }

  private void whitelist(String text) throws IOException {
    Files.writeString(host.whitelist(), text);
  }

  private static void hangUp(EngineProcess engine, String said) throws Exception {
    engine.signal("HUP");
    Await.until("it says " + said, () -> engine.said().contains(said));
  }

  @Test
  void theModuleGetsWhatIsNewAndKeepsWhatStays() throws Exception {
    whitelist(Host.everyGroup("/srv") + "[Udsaccept]\nPath=/run/none\n");
    try (EngineProcess engine = host.start(1).ready()) {
      int added = kernel.log("WL_ADD").size();
      whitelist("[Mount]\nPath=/srv;/new\n[Open]\nPath=/other\n");
      hangUp(engine, "2 added, 13 removed");
      assertThat(kernel.list(Group.MOUNT)).containsExactly("/srv", "/new");
      assertThat(kernel.list(Group.OPEN)).containsExactly("/other");
      assertThat(kernel.list(Group.KILL)).isEmpty();
      assertThat(kernel.log("WL_ADD")).hasSize(added + 2);
      // Never a moment without an entry that stays, and never disarmed.
      assertThat(kernel.log("WL_DEL 11")).isEmpty();
      assertThat(kernel.log("EXIT")).hasSize(1);
      hangUp(engine, "0 added, 0 removed");
      assertThat(kernel.log("WL_DEL")).hasSize(13);
    }
  }

  @Test
  void aChangeOfTheFileIsEnough() throws Exception {
    try (EngineProcess engine = host.start(1).ready()) {
      Path next = Files.writeString(directory.resolve("next"), Host.everyGroup("/srv;/new"));
      Files.move(next, host.whitelist(), StandardCopyOption.ATOMIC_MOVE);
      Await.until("it follows", () -> engine.said().contains("14 added, 0 removed"));
      assertThat(kernel.list(Group.MOUNT)).containsExactly("/srv", "/new");
      Files.delete(host.whitelist());
      Await.until("it complains", () -> engine.said().contains("does not exist"));
      assertThat(kernel.list(Group.MOUNT)).containsExactly("/srv", "/new");
    }
  }

  @Test
  void aFileThatIsBrokenKeepsTheOldOne() throws Exception {
    try (EngineProcess engine = host.start(1, "--no-watch").ready()) {
      whitelist("[Mount]\nPath=srv\n[Open]\nPath=home\n");
      hangUp(engine, ":4:6: ");
      assertThat(engine.said())
          .contains("ERROR the whitelist stays as it is: " + host.whitelist() + ":2:6: ");
      whitelist("[Open]\nPath=/other\n");
      hangUp(engine, "lets the client mount nothing");
      Files.delete(host.whitelist());
      hangUp(engine, "does not exist");
      for (Group group : List.of(Group.MOUNT, Group.OPEN, Group.UDSCONNECT)) {
        assertThat(kernel.list(group)).containsExactly("/srv");
      }
      engine.signal("TERM");
      assertThat(engine.exitCode()).isZero();
    }
  }

  @Test
  void anEntryThatTheModuleRefusesIsTold() throws Exception {
    kernel.set("room", Role.SERVER.groups().size());
    try (EngineProcess engine = host.start(1).ready()) {
      whitelist(Host.everyGroup("/srv;/new"));
      hangUp(
          engine, "follows the new whitelist only in part: /dev/qtfs_server refuses [Open] /new");
      assertThat(kernel.list(Group.OPEN)).containsExactly("/srv");
      kernel.set("room", 1000);
      hangUp(engine, "14 added, 0 removed");
    }
  }

  @Test
  void theManagerIsToldOfEachStep() throws Exception {
    Path notify = directory.resolve("notify");
    try (AFUNIXDatagramSocket manager = AFUNIXDatagramSocket.newInstance()) {
      manager.bind(AFUNIXSocketAddress.of(notify));
      manager.setSoTimeout(30_000);
      Map<String, String> managed = Map.of("NOTIFY_SOCKET", notify.toString());
      try (EngineProcess engine = host.start(1, managed)) {
        assertThat(receive(manager)).startsWith("READY=1\nSTATUS=1 threads serve ");
        engine.signal("HUP");
        assertThat(receive(manager)).startsWith("RELOADING=1\nMONOTONIC_USEC=");
        assertThat(receive(manager)).startsWith("READY=1\n");
        engine.signal("TERM");
        assertThat(receive(manager)).isEqualTo("STOPPING=1");
        assertThat(engine.exitCode()).isZero();
      }
    }
  }

  private static String receive(AFUNIXDatagramSocket manager) throws IOException {
    DatagramPacket packet = new DatagramPacket(new byte[4096], 4096);
    manager.receive(packet);
    return new String(packet.getData(), 0, packet.getLength(), UTF_8);
  }

  /** The proxy of the other host, in the test. */
  private ProxyDaemon startPeer(Path whitelist) throws Exception {
    InetAddress loopback = InetAddress.getLoopbackAddress();
    return ProxyDaemon.start(
        ProxyConfig.between(
                new InetSocketAddress(loopback, host.peerPort()),
                new InetSocketAddress(loopback, host.port()))
            .runDirectory(directory.resolve("peer"))
            .whitelist(whitelist)
            .build());
  }

  private void expectConnected(Path runDirectory, UnixListener target) throws IOException {
    RemoteConnector connector = new RemoteConnector(runDirectory.toString(), true);
    try (Fd client = connector.connect(target.path().toString());
        Fd server = accept(target);
        Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(5);
      assertThat(client.write(arena.allocateFrom("hello"), 5)).isEqualTo(5);
      assertThat(server.read(buffer, 5)).isEqualTo(5);
      assertThat(new String(buffer.toArray(ValueLayout.JAVA_BYTE), UTF_8)).isEqualTo("hello");
    }
  }

  private static Fd accept(UnixListener target) {
    assertThat(Poll.readable(Duration.ofSeconds(10), target.number())[0]).isEqualTo(Poll.IN);
    return Fd.own(target.accept(true));
  }

  @Test
  void theManagerMayWatchItsLoops() throws Exception {
    Path notify = directory.resolve("notify");
    try (AFUNIXDatagramSocket manager = AFUNIXDatagramSocket.newInstance()) {
      manager.bind(AFUNIXSocketAddress.of(notify));
      manager.setSoTimeout(30_000);
      Map<String, String> managed =
          Map.of("NOTIFY_SOCKET", notify.toString(), "WATCHDOG_USEC", "300000");
      try (EngineProcess _ = host.start(1, managed)) {
        assertThat(receive(manager)).startsWith("READY=1\n");
        assertThat(receive(manager)).isEqualTo("WATCHDOG=1");
        assertThat(receive(manager)).isEqualTo("WATCHDOG=1");
      }
    }
  }

  @Test
  void theProxyInsideDrainsWhileTheModuleIsServed() throws Exception {
    Path peers =
        Files.writeString(directory.resolve("peers"), "[Udsaccept]\nPath=" + directory + "\n");
    ProxyDaemon peer = startPeer(peers);
    try (EngineProcess engine = host.start(1, "--close-timeout=60").ready();
        UnixListener target = UnixListener.bind(directory.resolve("t.sock"), 8)) {
      RemoteConnector connector = new RemoteConnector(host.run().toString(), true);
      try (Fd _ = connector.connect(target.path().toString());
          Fd _ = accept(target)) {
        engine.signal("TERM");
        Await.until("it drains", () -> engine.said().contains("takes no new work, 1 under way"));
        assertThat(host.run().resolve("remote_uds.sock")).doesNotExist();
        assertThat(kernel.log("EXIT")).as("the module is armed").hasSize(1);
      }
      assertThat(engine.exitCode()).isZero();
      assertThat(kernel.log("EXIT")).hasSize(2);
    } finally {
      peer.stop();
    }
  }

  @Test
  void theProxyInsideFollowsToo() throws Exception {
    String udsaccept = "[Udsaccept]\nPath=" + directory + "\n";
    Path peers = Files.writeString(directory.resolve("peers"), udsaccept);
    ProxyDaemon peer = startPeer(peers);
    try (EngineProcess engine = host.start(1).ready();
        UnixListener target = UnixListener.bind(directory.resolve("t.sock"), 8)) {
      RemoteConnector fromPeer = new RemoteConnector(directory.resolve("peer").toString(), true);
      assertThatThrownBy(() -> fromPeer.connect(target.path().toString()))
          .isInstanceOf(IOException.class);
      assertThat(engine.said()).contains("allow=\"[Udsaccept] Path=" + target.path() + "\"");
      whitelist(Host.everyGroup("/srv") + udsaccept);
      hangUp(engine, "0 added, 0 removed");
      expectConnected(directory.resolve("peer"), target);
      Path standIn = directory.resolve("t.sock.proxy");
      Await.until("the peer's stand-in is gone", () -> Files.notExists(standIn));
      expectConnected(host.run(), target);
      // The engine's own: its umask is 0, and the socket is the owner's all the same.
      assertThat(FileStatus.ofLink(standIn).permissions()).isEqualTo(0600);
    } finally {
      peer.stop();
    }
  }
}
