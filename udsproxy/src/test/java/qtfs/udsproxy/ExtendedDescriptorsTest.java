package qtfs.udsproxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.LinuxException;
import qtfs.linux.Memfd;
import qtfs.linux.Pipe;
import qtfs.linux.SocketStatus;
import qtfs.linux.Spawn;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;

/** Every kind of descriptor between two proxies that speak the extended dialect. */
@ParameterizedClass
@EnumSource(ExtendedDescriptorsTest.Linked.class)
final class ExtendedDescriptorsTest {
  /** How the two are linked: passed sockets live on other loops than what they came through. */
  enum Linked {
    PLAINLY(1),
    WITH_LOOPS(3),
    BY_TLS(3);

    private final int loops;

    Linked(int loops) {
      this.loops = loops;
    }
  }

  /** The session at either proxy. */
  private static final int BASE = 2;

  private static final int APPEND = Fd.O_RDWR | Fd.O_APPEND;

  private static TlsConfig host;

  @Parameter private Linked linked = Linked.PLAINLY;
  @TempDir Path directory;
  private ProxyPair proxies;
  private UnixListener listener;
  private Fd application;
  private Fd server;

  @BeforeAll
  static void certify(@TempDir Path files) throws Exception {
    host = TestAuthority.create(files).host("host", "ip:127.0.0.1", "127.0.0.1");
  }

  @BeforeEach
  void connect() throws Exception {
    String whitelist =
        ProxyPair.allowing(directory).replace("[Open]\nPath=", "[Open]\nPath=/dev/full;")
            + "[Readdir]\nPath="
            + directory
            + "\n";
    whitelist = whitelist.replace("[Read]\nPath=", "[Read]\nPath=/dev/full;");
    proxies =
        ProxyPair.of(directory, whitelist, linked.loops, linked == Linked.BY_TLS ? host : null);
    listener = proxies.listen("server.sock");
    application = proxies.connect("server.sock");
    server = ProxyPair.accept(listener);
    Await.until("both have the session", () -> relays() == BASE);
  }

  @AfterEach
  void close() throws Exception {
    application.close();
    server.close();
    Await.until("all sessions end", () -> relays() == 0);
    Await.until("all work ends", () -> isIdle(proxies.a()) && isIdle(proxies.b()));
    listener.close();
    proxies.close();
  }

  private static boolean isIdle(ProxyDaemon proxy) {
    return proxy.shared().workLeft() == 0 && proxy.shared().places().taken() == 0;
  }

  private int relays() {
    return proxies.a().shared().relays().size() + proxies.b().shared().relays().size();
  }

  /** What arrives of one message with these descriptors, beside its text. */
  private List<Fd> pass(String text, List<Fd> fds) throws IOException {
    Sockets.send(application, text, fds);
    Sockets.Message message = Sockets.receive(server);
    assertThat(message.text()).isEqualTo(text);
    return message.fds();
  }

  private Fd passOne(Fd fd) throws IOException {
    List<Fd> received = pass("x", List.of(fd));
    assertThat(received).hasSize(1);
    return received.getFirst();
  }

  private void assertStaysBehind(Fd fd, String why) throws Exception {
    try (CapturedLog log = new CapturedLog()) {
      assertThat(pass("alone", List.of(fd))).isEmpty();
      assertThat(log.only("descriptor-refused")).contains(why);
    }
  }

  private static Fd memfd(byte[] content) throws IOException {
    Fd file = Memfd.create("test");
    Sockets.write(file, content);
    return file;
  }

  private static Path named(Fd fd) {
    return Path.of(fd.procPath());
  }

  // ---- files

  @Test
  void aFileKeepsItsOffsetAndItsFlags() throws Exception {
    Path file = Files.writeString(directory.resolve("file"), "0123456789");
    try (Fd open = Fd.open(file, APPEND)) {
      open.position(4);
      try (Fd received = passOne(open)) {
        assertThat(received.position()).isEqualTo(4);
        assertThat(Sockets.readText(received, 6)).isEqualTo("456789");
        assertThat(Fcntl.statusFlags(received) & (Fd.O_ACCMODE | Fd.O_APPEND)).isEqualTo(APPEND);
        Sockets.write(received, "!");
        assertThat(Files.readString(file)).isEqualTo("0123456789!");
      }
      open.position(1L << 40); // beyond its end
      try (Fd received = passOne(open)) {
        assertThat(received.position()).isEqualTo(1L << 40);
      }
    }
  }

  @Test
  void aFileOutsideTheWhitelistStaysBehind() throws Exception {
    try (Fd open = Fd.open("/etc/passwd", Fd.O_RDONLY, 0)) {
      assertStaysBehind(open, "[Open] Path=/etc/passwd");
    }
  }

  // ---- content

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 5, 65535, 65536, 65537, 3_000_000})
  void aFileWithoutANameCrossesByItsContent(int size) throws Exception {
    byte[] content = new byte[size];
    new Random(size).nextBytes(content);
    try (Fd file = memfd(content)) {
      file.position(size / 2);
      try (Fd received = passOne(file)) {
        assertThat(received.position()).isEqualTo(size / 2);
        assertThat(Files.readAllBytes(named(received))).isEqualTo(content);
        assertThat(Memfd.isSealed(received)).isTrue();
        assertThat(Fcntl.statusFlags(received) & Fd.O_ACCMODE).isEqualTo(Fd.O_RDWR);
        assertThatThrownBy(() -> Sockets.write(received, "no"))
            .hasMessageContaining("not permitted");
      }
      assertThat(file.position()).isEqualTo(size / 2);
    }
  }

  @Test
  void aDeletedFileCrossesAsItWas() throws Exception {
    Path path = Files.writeString(directory.resolve("deleted"), "content");
    try (Fd file = Fd.open(path, Fd.O_RDONLY);
        Fd writer = Fd.open(path, Fd.O_WRONLY)) {
      Files.delete(path);
      Files.writeString(path, "another's");
      try (Fd received = passOne(file)) {
        assertThat(Sockets.readAll(received)).isEqualTo("content");
        assertThat(Fcntl.statusFlags(received) & Fd.O_ACCMODE).isEqualTo(Fd.O_RDONLY);
      }
      try (Fd received = passOne(writer)) {
        assertThat(Fcntl.statusFlags(received) & Fd.O_ACCMODE).isEqualTo(Fd.O_WRONLY);
      }
    }
  }

  @Test
  void aSealedFileCrosses() throws Exception {
    try (Fd file = memfd("sealed".getBytes(UTF_8))) {
      Memfd.seal(file);
      file.position(0);
      try (Fd received = passOne(file)) {
        assertThat(Sockets.readAll(received)).isEqualTo("sealed");
      }
    }
  }

  @Test
  void aMessageCarriesNoMoreThanSixtyFourMebibytes() throws Exception {
    try (Fd large = Memfd.create("large");
        Fd rest = memfd("x".getBytes(UTF_8))) {
      large.position(FdFrame.MAX_CONTENT - 1);
      Sockets.write(large, "x");
      try (CapturedLog log = new CapturedLog()) {
        List<Fd> received = pass("both", List.of(large, rest));
        assertThat(received).hasSize(1);
        assertThat(FileStatus.of(received.getFirst()).size()).isEqualTo(FdFrame.MAX_CONTENT);
        Fd.closeAll(received);
        assertThat(log.only("descriptor-refused")).contains("without a name of 1 bytes");
      }
      Sockets.write(large, "x");
      assertStaysBehind(large, "of 67108865 bytes");
    }
  }

  /** Others are served while the content waits for its reader, and it comes whole. */
  @Test
  void contentBeforeAMessageHoldsUpNobodyElse() throws Exception {
    byte[] content = new byte[8 << 20];
    new Random(1).nextBytes(content);
    try (Fd file = memfd(content);
        Fd otherApplication = proxies.connect("server.sock");
        Fd otherServer = ProxyPair.accept(listener)) {
      for (int i = 0; i < 5; i++) {
        Sockets.send(application, "x", List.of(file));
        Sockets.write(application, "y");
        Sockets.write(otherApplication, "ping");
        assertThat(Sockets.readText(otherServer, 4)).isEqualTo("ping");
        Sockets.Message message = Sockets.receive(server);
        String rest = message.text().length() == 2 ? "" : Sockets.readText(server, 1);
        assertThat(message.text() + rest).isEqualTo("xy");
        assertThat(Files.readAllBytes(named(message.fds().getFirst()))).isEqualTo(content);
        Fd.closeAll(message.fds());
      }
    }
  }

  // ---- directories and devices

  @Test
  void aDirectoryCrossesByItsPath() throws Exception {
    Path sub = Files.createDirectory(directory.resolve("sub"));
    Files.writeString(sub.resolve("a"), "");
    for (int flags : new int[] {Fd.O_RDONLY, Fd.O_PATH}) {
      try (Fd open = Fd.open(sub, flags);
          Fd received = passOne(open)) {
        assertThat(FileStatus.of(received).sameFile(FileStatus.of(sub))).isTrue();
        assertThat(Fcntl.statusFlags(received) & Fd.O_PATH).isEqualTo(flags);
        assertThat(named(received).toFile().list()).containsExactly("a");
      }
    }
    try (Fd outside = Fd.open("/etc", Fd.O_RDONLY, 0)) {
      assertStaysBehind(outside, "[Open] Path=/etc");
    }
  }

  @Test
  void aDeletedDirectoryStaysBehind() throws Exception {
    Path sub = Files.createDirectory(directory.resolve("sub"));
    try (Fd open = Fd.open(sub, Fd.O_RDONLY)) {
      Files.delete(sub);
      assertStaysBehind(open, "is not there any more");
    }
  }

  @Test
  void theDevicesThatAreTheSameEverywhereCross() throws Exception {
    try (Fd nothing = Fd.open("/dev/null", Fd.O_RDWR, 0);
        Fd zero = Fd.open("/dev/zero", Fd.O_RDONLY, 0)) {
      List<Fd> received = pass("devices", List.of(nothing, zero));
      assertThat(received).hasSize(2);
      Sockets.write(received.get(0), "away");
      assertThat(Sockets.read(received.get(0), 1)).isEmpty();
      assertThat(Sockets.read(received.get(1), 3)).containsExactly(0, 0, 0);
      Fd.closeAll(received);
    }
  }

  @Test
  void otherDevicesCrossIfTheWhitelistNamesThem() throws Exception {
    try (Fd full = Fd.open("/dev/full", Fd.O_RDONLY, 0);
        Fd received = passOne(full);
        Fd random = Fd.open("/dev/urandom", Fd.O_RDONLY, 0)) {
      assertThat(FileStatus.of(received).node()).isEqualTo(FileStatus.device(1, 7));
      assertStaysBehind(random, "[Open] Path=/dev/urandom");
    }
  }

  // ---- sockets

  @Test
  void aSocketIsASessionOfItsOwn() throws Exception {
    try (UnixSocket.Pair pair = UnixSocket.pair();
        Fd far = passOne(pair.first())) {
      pair.first().close();
      Sockets.write(pair.second(), "there");
      assertThat(Sockets.readText(far, 5)).isEqualTo("there");
      Sockets.write(far, "back");
      assertThat(Sockets.readText(pair.second(), 4)).isEqualTo("back");
      application.close(); // it outlives the session that it came through
      assertThat(Sockets.readAll(server)).isEmpty();
      UnixSocket.shutdownWrite(far);
      assertThat(Sockets.readAll(pair.second())).isEmpty();
      Sockets.write(pair.second(), "answer");
      assertThat(Sockets.readText(far, 6)).isEqualTo("answer");
      pair.second().close();
      assertThat(Sockets.readAll(far)).isEmpty();
    }
  }

  @Test
  void aSocketsBytesThatWereThereBeforeCross() throws Exception {
    try (UnixSocket.Pair pair = UnixSocket.pair()) {
      Sockets.write(pair.second(), "before");
      pair.second().close();
      try (Fd far = passOne(pair.first())) {
        pair.first().close();
        assertThat(Sockets.readAll(far)).isEqualTo("before");
      }
    }
  }

  @Test
  void aSocketThatBlocksDoesNotHoldUpTheProxy() throws Exception {
    byte[] much = new byte[4 << 20];
    new Random(2).nextBytes(much);
    try (UnixSocket.Pair pair = UnixSocket.pair();
        Fd far = passOne(pair.first())) {
      pair.first().close();
      Thread writer = Thread.ofPlatform().start(() -> writeAll(far, much));
      Sockets.write(application, "ping");
      assertThat(Sockets.readText(server, 4)).isEqualTo("ping");
      assertThat(Sockets.read(pair.second(), much.length)).isEqualTo(much);
      writer.join();
      assertThat(Fcntl.statusFlags(pair.second()) & Fd.O_NONBLOCK).isZero();
    }
  }

  private static void writeAll(Fd fd, byte[] bytes) {
    try {
      Sockets.write(fd, bytes);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void aSocketKeepsItsNonBlockingFlag() throws Exception {
    try (UnixSocket.Pair pair = UnixSocket.pair()) {
      Fcntl.statusFlags(pair.first(), Fd.O_RDWR | Fd.O_NONBLOCK);
      List<Fd> received = pass("x", List.of(pair.first(), pair.second()));
      assertThat(Fcntl.statusFlags(received.get(0)) & Fd.O_NONBLOCK).isNotZero();
      assertThat(Fcntl.statusFlags(received.get(1)) & Fd.O_NONBLOCK).isZero();
      Fd.closeAll(received);
    }
  }

  @Test
  void descriptorsCrossThroughAPassedSocketToo() throws Exception {
    Path file = Files.writeString(directory.resolve("file"), "content");
    try (UnixSocket.Pair outer = UnixSocket.pair();
        UnixSocket.Pair inner = UnixSocket.pair();
        Fd open = Fd.open(file, Fd.O_RDONLY);
        Fd far = passOne(outer.first())) {
      Sockets.send(outer.second(), "deeper", List.of(open, inner.first()));
      Sockets.Message message = Sockets.receive(far);
      assertThat(message.text()).isEqualTo("deeper");
      assertThat(Sockets.readText(message.fds().get(0), 7)).isEqualTo("content");
      Sockets.send(message.fds().get(1), "deepest", List.of(message.fds().get(0)));
      Sockets.Message back = Sockets.receive(inner.second());
      assertThat(back.text()).isEqualTo("deepest");
      assertThat(back.fds().getFirst().position()).isEqualTo(7);
      Fd.closeAll(back.fds());
      Fd.closeAll(message.fds());
    }
  }

  /**
   * Both ends of a pair are passed, and what came of the one is passed through what came of the
   * other: it goes round between the proxies, which hold each other's ends. It comes to an end.
   */
  @Test
  void aSocketThatIsPassedThroughItselfComesToAnEnd() throws Exception {
    int before = Spawn.openNumbers().size();
    long sessions = proxies.a().shared().statistics().sessions();
    for (int i = 0; i < 3; i++) {
      try (UnixSocket.Pair pair = UnixSocket.pair()) {
        List<Fd> received = pass("both ends", List.of(pair.first(), pair.second()));
        Fd.closeAll(List.of(pair.first(), pair.second()));
        Sockets.send(received.get(1), "round", List.of(received.get(0)));
        received.get(0).close();
        assertThat(Sockets.readAll(received.get(1))).isIn("", "round");
        received.get(1).close();
      }
    }
    Await.until("relays end", () -> relays() == BASE);
    Await.until("back to " + before, () -> Spawn.openNumbers().size() <= before);
    assertThat(proxies.a().shared().statistics().sessions() - sessions)
        .isLessThan(3 * 4 * SocketRelay.MAX_DEPTH);
    Sockets.write(application, "ping");
    assertThat(Sockets.readText(server, 4)).isEqualTo("ping");
  }

  @Test
  void socketsThatNobodyReadsFromAreGoneWithTheirHolders() throws Exception {
    int before = Spawn.openNumbers().size();
    for (int i = 0; i < 10; i++) {
      try (UnixSocket.Pair one = UnixSocket.pair();
          UnixSocket.Pair other = UnixSocket.pair();
          Fd far = passOne(one.first())) {
        Sockets.send(one.second(), "x", List.of(other.first()));
        Sockets.send(other.second(), "y", List.of(one.second(), other.second()));
        assertThat(far.isOpen()).isTrue();
      }
    }
    Await.until("relays end", () -> relays() == BASE);
    Await.until("back to " + before, () -> Spawn.openNumbers().size() <= before);
  }

  // ---- what stays behind

  @Test
  void whatHasNoMeaningThereStaysBehindAndIsTold() throws Exception {
    Path fifo = directory.resolve("fifo");
    Pipe.makeFifo(fifo, 0600);
    try (UnixSocket.Pair packets = UnixSocket.pair(UnixSocket.Type.SEQPACKET);
        Fd unconnected = UnixSocket.open(UnixSocket.Type.STREAM, true);
        Fd terminal = Fd.open("/dev/ptmx", Fd.O_RDWR | Fd.O_NOCTTY, 0);
        Fd namespace = Fd.open("/proc/self/ns/net", Fd.O_RDONLY, 0);
        Fd both = Fd.open(fifo, Fd.O_RDWR);
        Fd byPathOnly = Fd.open("/etc/passwd", Fd.O_PATH, 0);
        Fd eventfd = ownedByNetty("anon_inode:.eventfd.");
        Fd timerfd = ownedByNetty("anon_inode:.timerfd.");
        Fd epoll = ownedByNetty("anon_inode:.eventpoll.");
        Fd inet = ownedByNetty("IPv[46] STREAM socket")) {
      assertStaysBehind(packets.first(), "SEQPACKET socket has no meaning");
      assertStaysBehind(unconnected, "is not connected");
      assertStaysBehind(listener.socket(), "listening unix STREAM socket has no meaning");
      assertStaysBehind(terminal, "the terminal /dev/");
      assertStaysBehind(namespace, "net:[");
      assertStaysBehind(both, "open for reading and writing");
      assertStaysBehind(byPathOnly, "O_PATH only");
      assertStaysBehind(eventfd, "[eventfd] has no meaning");
      assertStaysBehind(timerfd, "[timerfd] has no meaning");
      assertStaysBehind(epoll, "[eventpoll] has no meaning");
      assertStaysBehind(inet, "STREAM socket has no meaning");
    }
  }

  /** A duplicate of something that the proxies in this process have open. */
  private static Fd ownedByNetty(String what) throws IOException {
    for (int number : Spawn.openNumbers()) {
      if (nameOf(number).matches(what)) {
        return Fd.own(number).duplicate();
      }
    }
    throw new IOException("nobody has a " + what);
  }

  private static String nameOf(int number) {
    try {
      String path = Fcntl.path(number);
      return path.startsWith("socket:") ? SocketStatus.of(number).toString() : path;
    } catch (LinuxException closedMeanwhile) {
      return "";
    }
  }

  // ---- many

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 63, 64, 65, 253})
  void aMessageOfManyKindsKeepsTheirOrder(int count) throws Exception {
    Path file = Files.writeString(directory.resolve("file"), "0123456789");
    int before = Spawn.openNumbers().size();
    List<Fd> passed = new ArrayList<>();
    List<Fd> others = new ArrayList<>(); // of pipes and sockets
    for (int i = 0; i < count; i++) {
      passed.add(kind(i, file, others));
    }
    List<Fd> received = pass("A", passed);
    assertThat(received).hasSize(count);
    for (int i = 0; i < count; i++) {
      assertKind(i, received.get(i));
    }
    Fd.closeAll(received);
    Fd.closeAll(passed);
    Fd.closeAll(others);
    Await.until("relays end", () -> relays() == BASE);
    Await.until("back to " + before, () -> Spawn.openNumbers().size() <= before);
  }

  private Fd kind(int i, Path file, List<Fd> others) throws IOException {
    return switch (i % 6) {
      case 0 -> at(i % 10, Fd.open(file, Fd.O_RDONLY));
      case 1 -> pipe("pipe " + i, others);
      case 2 -> socket("socket " + i, others);
      case 3 -> memfd(("content " + i).getBytes(UTF_8));
      case 4 -> Fd.open(directory, Fd.O_RDONLY);
      default -> Fd.open("/dev/null", Fd.O_RDWR, 0);
    };
  }

  private static Fd at(int offset, Fd file) throws IOException {
    file.position(offset);
    return file;
  }

  private static Fd pipe(String text, List<Fd> others) throws IOException {
    Pipe pipe = Pipe.open();
    Sockets.write(pipe.write(), text);
    others.add(pipe.write());
    return pipe.read();
  }

  private static Fd socket(String text, List<Fd> others) throws IOException {
    UnixSocket.Pair pair = UnixSocket.pair();
    Sockets.write(pair.second(), text);
    others.add(pair.second());
    return pair.first();
  }

  private void assertKind(int i, Fd fd) throws IOException {
    switch (i % 6) {
      case 0 -> assertThat(fd.position()).isEqualTo(i % 10);
      case 1 -> assertThat(Sockets.readText(fd, ("pipe " + i).length())).isEqualTo("pipe " + i);
      case 2 -> assertThat(Sockets.readText(fd, ("socket " + i).length())).isEqualTo("socket " + i);
      case 3 -> assertThat(Files.readString(named(fd))).isEqualTo("content " + i);
      case 4 -> assertThat(FileStatus.of(fd).sameFile(FileStatus.of(directory))).isTrue();
      default -> assertThat(FileStatus.of(fd).node()).isEqualTo(FileStatus.device(1, 3));
    }
  }

  @Test
  void aSessionThatEndsWhileTheyAreOnTheirWayLeavesNone() throws Exception {
    Path file = Files.writeString(directory.resolve("file"), "content");
    int before = Spawn.openNumbers().size();
    for (int i = 0; i < 30; i++) {
      List<Fd> others = new ArrayList<>();
      List<Fd> passed = new ArrayList<>();
      for (int k = 0; k < 12; k++) {
        passed.add(kind(k, file, others));
      }
      passed.add(memfd(new byte[1 << 20]));
      Fd other = proxies.connect("server.sock");
      Fd otherServer = ProxyPair.accept(listener);
      Sockets.send(other, "x", passed);
      Fd.closeAll(i % 2 == 0 ? List.of(otherServer, other) : List.of(other, otherServer));
      Fd.closeAll(passed);
      Fd.closeAll(others);
    }
    Await.until("relays end", () -> relays() == BASE);
    Await.until("back to " + before, () -> Spawn.openNumbers().size() <= before);
  }
}
