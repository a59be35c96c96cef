package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.LinuxException;
import qtfs.linux.Pipe;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.whitelist.QtfsWhitelist;

/** A peer reaches what the whitelist names, by whatever path, and nothing else. */
final class ReachTest {
  @TempDir Path temp;
  private Path inside;
  private Path outside;
  private Path secret;

  @BeforeEach
  void makeDirectories() throws IOException {
    Path real = temp.toRealPath();
    inside = Files.createDirectory(real.resolve("inside"));
    outside = Files.createDirectory(real.resolve("outside"));
    secret = Files.writeString(outside.resolve("secret"), "secret");
    Files.writeString(inside.resolve("file"), "content");
  }

  private Reach reach(boolean anySocket, boolean anyFile, String... lines) throws Exception {
    Path file = Files.writeString(temp.resolve("whitelist"), String.join("\n", lines) + "\n");
    return new Reach(
        QtfsWhitelist.load(file),
        file,
        outside.resolve("rexec_uds.sock").toString(),
        anySocket,
        anyFile);
  }

  private Reach all() throws Exception {
    return listing(inside);
  }

  private Reach listing(Path entry) throws Exception {
    return reach(
        false,
        false,
        "[Udsaccept]",
        "Path=" + entry,
        "[Open]",
        "Path=" + entry,
        "[Read]",
        "Path=" + entry,
        "[Write]",
        "Path=" + entry);
  }

  private static Frame.ScmRights file(int flags, Object path) {
    return new Frame.ScmRights(flags, path.toString());
  }

  private static void assertOpens(Reach reach, Object path) throws Exception {
    try (Fd fd = reach.openFile(file(Fd.O_RDONLY, path))) {
      assertThat(FileStatus.of(fd).isRegular()).isTrue();
    }
  }

  private static void assertRefused(ThrowingCallable attempt, String reason) {
    assertThatThrownBy(attempt).isInstanceOf(RefusedException.class).hasMessageContaining(reason);
  }

  /** The line that a refusal names. */
  private static @Nullable String allowing(ThrowingCallable attempt) {
    return catchThrowableOfType(RefusedException.class, attempt).allow();
  }

  @Test
  void aFileInsideIsOpened() throws Exception {
    assertOpens(all(), inside.resolve("file"));
  }

  @Test
  void whatIsNotListedIsRefusedWithTheLineThatWouldAllowIt() throws Exception {
    Reach reach = all();
    assertThat(allowing(() -> reach.openFile(file(Fd.O_RDONLY, secret))))
        .isEqualTo("[Open] Path=" + secret);
    assertThat(allowing(() -> reach.openSocket(outside + "/s.sock")))
        .isEqualTo("[Udsaccept] Path=" + outside + "/s.sock");
  }

  @Test
  void anEmptyWhitelistAllowsNothing() throws Exception {
    Reach reach = reach(false, false, "");
    assertRefused(() -> reach.openFile(file(0, inside.resolve("file"))), "not in");
    assertRefused(() -> reach.openSocket(inside + "/s.sock"), "not in");
  }

  @Test
  void dotDotLeadsNowhere() throws Exception {
    Reach reach = all();
    Path detour = Files.createDirectory(inside.resolve("sub"));
    for (String path :
        new String[] {
          inside + "/../outside/secret",
          inside + "/sub/../../outside/secret",
          detour + "/../../outside/secret",
          inside + "/./../outside/secret"
        }) {
      assertThatThrownBy(() -> reach.openFile(file(0, path))).isInstanceOf(RefusedException.class);
    }
    try (UnixListener _ = UnixListener.bind(outside.resolve("s.sock"), 1)) {
      assertThatThrownBy(() -> reach.openSocket(inside + "/../outside/s.sock"))
          .isInstanceOf(RefusedException.class);
    }
  }

  @Test
  void aLinkDoesNotLeadOut() throws Exception {
    Reach reach = all();
    Files.createSymbolicLink(inside.resolve("link"), secret);
    Files.createSymbolicLink(inside.resolve("directory"), outside);
    Files.createSymbolicLink(inside.resolve("relative"), Path.of("../outside/secret"));
    for (String name : new String[] {"link", "directory/secret", "relative"}) {
      assertRefused(() -> reach.openFile(file(0, inside.resolve(name))), "leads to " + secret);
    }
    try (UnixListener _ = UnixListener.bind(outside.resolve("s.sock"), 1)) {
      Files.createSymbolicLink(inside.resolve("s.sock"), outside.resolve("s.sock"));
      assertRefused(
          () -> reach.openSocket(inside + "/s.sock"), "leads to " + outside.resolve("s.sock"));
    }
  }

  @Test
  void anEntryThatIsALinkLeadsWhereItsFilesAre() throws Exception {
    // As /var/run does, which is a link to /run.
    Path varRun = Files.createSymbolicLink(temp.toRealPath().resolve("var-run"), inside);
    Reach reach = listing(varRun);
    assertOpens(reach, varRun.resolve("file"));
    try (UnixListener _ = UnixListener.bind(inside.resolve("s.sock"), 1);
        Fd socket = reach.openSocket(varRun + "/s.sock")) {
      assertThat(FileStatus.of(socket).isSocket()).isTrue();
    }
    assertRefused(() -> reach.openFile(file(0, inside.resolve("file"))), "not in");
  }

  @Test
  void aLinkWithinAnEntryIsFollowed() throws Exception {
    Files.createSymbolicLink(inside.resolve("link"), inside.resolve("file"));
    assertOpens(all(), inside.resolve("link"));
  }

  @Test
  void aNeighbourWithTheSameBeginningIsNotInside() throws Exception {
    Path neighbour = Files.createDirectory(inside.resolveSibling("inside-out"));
    Files.writeString(neighbour.resolve("file"), "x");
    Files.createSymbolicLink(inside.resolve("link"), neighbour.resolve("file"));
    Reach reach = all();
    assertRefused(() -> reach.openFile(file(0, neighbour.resolve("file"))), "not in");
    assertRefused(() -> reach.openFile(file(0, inside.resolve("link"))), "leads to");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/proc/self/environ", "/proc/self/mem", "/proc/1/environ"})
  void theProxysOwnProcessIsNoWayAround(String path) throws Exception {
    Reach reach = all();
    assertRefused(() -> reach.openFile(file(0, path)), "not in");
    assertRefused(() -> reach.openFile(file(0, "/proc/self/root" + secret)), "not in");
    Files.createSymbolicLink(inside.resolve("link"), Path.of(path));
    assertThatThrownBy(() -> reach.openFile(file(0, inside.resolve("link"))))
        .isInstanceOf(RefusedException.class);
    Files.createSymbolicLink(inside.resolve("root"), Path.of("/proc/self/root"));
    assertRefused(() -> reach.openFile(file(0, inside + "/root" + secret)), "leads to " + secret);
    // Nobody who clears the directory away shall come past these.
    Files.delete(inside.resolve("root"));
    Files.delete(inside.resolve("link"));
  }

  @Test
  void aDescriptorOfTheProxyIsNoWayAround() throws Exception {
    try (Fd open = Fd.open(secret, Fd.O_RDONLY)) {
      Files.createSymbolicLink(inside.resolve("link"), Path.of(open.procPath()));
      assertRefused(() -> all().openFile(file(0, inside.resolve("link"))), "leads to " + secret);
    }
  }

  @Test
  void onlyARegularFileIsAFile() throws Exception {
    Reach reach = reach(false, true, "");
    Pipe.makeFifo(inside.resolve("fifo"), 0600);
    // None of these is opened, which alone would block, rewind a tape or answer a reader.
    assertRefused(() -> reach.openFile(file(0, inside.resolve("fifo"))), "is a pipe");
    assertRefused(() -> reach.openFile(file(0, "/dev/null")), "is a character device");
    assertRefused(() -> reach.openFile(file(0, inside)), "is a directory");
    try (UnixListener _ = UnixListener.bind(inside.resolve("s.sock"), 1)) {
      assertRefused(() -> reach.openFile(file(0, inside.resolve("s.sock"))), "is a socket");
    }
  }

  @Test
  void onlyASocketIsASocket() throws Exception {
    Reach reach = reach(true, false, "");
    assertRefused(() -> reach.openSocket(inside + "/file"), "is a regular file, not a socket");
    assertRefused(() -> reach.openSocket("/dev/null"), "is a character device");
  }

  @Test
  void nothingIsMadeAndNothingIsCut() throws Exception {
    Reach reach = all();
    int cutting = Fd.O_WRONLY | Fd.O_CREAT | Fd.O_TRUNC;
    try (Fd fd = reach.openFile(file(cutting, inside.resolve("file")))) {
      assertThat(Fcntl.statusFlags(fd) & Fd.O_ACCMODE).isEqualTo(Fd.O_WRONLY);
    }
    assertThat(inside.resolve("file")).hasContent("content");
    assertThatThrownBy(() -> reach.openFile(file(cutting, inside.resolve("new"))))
        .isInstanceOf(LinuxException.class)
        .hasMessageContaining("No such file");
    assertThat(inside.resolve("new")).doesNotExist();
    int unknown = 0x7fffff00 & ~Fd.O_CREAT & ~Fd.O_EXCL;
    try (Fd fd = reach.openFile(file(unknown, inside.resolve("file")))) {
      assertThat(Fcntl.isCloseOnExec(fd.number())).isTrue();
    }
  }

  @Test
  void theFlagsOfTheSendersFileAreKept() throws Exception {
    try (Fd fd =
        all().openFile(file(Fd.O_RDWR | Fd.O_APPEND | Fd.O_NONBLOCK, inside.resolve("file")))) {
      assertThat(Fcntl.statusFlags(fd) & (Fd.O_ACCMODE | Fd.O_APPEND | Fd.O_NONBLOCK))
          .isEqualTo(Fd.O_RDWR | Fd.O_APPEND | Fd.O_NONBLOCK);
    }
  }

  @Test
  void anEntryForReadingIsNotOneForWriting() throws Exception {
    Reach reach = reach(false, false, "[Open]", "Path=" + inside, "[Read]", "Path=" + inside);
    Path file = inside.resolve("file");
    assertOpens(reach, file);
    for (int flags : new int[] {Fd.O_WRONLY, Fd.O_RDWR, Fd.O_RDWR | Fd.O_APPEND}) {
      assertThat(allowing(() -> reach.openFile(file(flags, file))))
          .isEqualTo("[Write] Path=" + file);
    }
    assertRefused(() -> reach.openFile(file(3, file)), "access mode");
  }

  @Test
  void anEntryForWritingLeadsOutNoMoreThanOneForReading() throws Exception {
    // [Read] covers everything, [Write] one directory: a link in it must not lead a writer out.
    Reach reach =
        reach(
            false,
            false,
            "[Open]",
            "Path=" + temp.toRealPath(),
            "[Read]",
            "Path=" + temp.toRealPath(),
            "[Write]",
            "Path=" + inside);
    Files.createSymbolicLink(inside.resolve("link"), secret);
    assertOpens(reach, inside.resolve("link"));
    assertRefused(
        () -> reach.openFile(file(Fd.O_WRONLY, inside.resolve("link"))), "no entry of [Write]");
  }

  @Test
  void whatIsMissingIsMissing() throws Exception {
    Reach reach = all();
    assertThatThrownBy(() -> reach.openFile(file(0, inside.resolve("missing"))))
        .isInstanceOf(LinuxException.class);
    assertThatThrownBy(() -> reach.openSocket(inside + "/missing"))
        .isInstanceOf(LinuxException.class);
  }

  @Test
  void anythingMeansAnythingOfItsKind() throws Exception {
    assertOpens(reach(false, true, ""), secret);
    try (UnixListener _ = UnixListener.bind(outside.resolve("s.sock"), 1)) {
      reach(true, false, "").openSocket(outside + "/s.sock").close();
      Reach sockets = reach(true, false, "");
      assertRefused(() -> sockets.openFile(file(0, secret)), "not in");
      Reach files = reach(false, true, "");
      assertRefused(() -> files.openSocket(outside + "/s.sock"), "not in");
    }
  }

  @Test
  void rexecsSocketIsAlwaysReachable() throws Exception {
    Reach reach = reach(false, false, "");
    try (UnixListener listener = UnixListener.bind(outside.resolve("rexec_uds.sock"), 1);
        Fd target = reach.openSocket(outside + "/rexec_uds.sock");
        Fd socket = UnixSocket.open(UnixSocket.Type.STREAM, true)) {
      assertThat(Reach.connect(socket, target)).isZero();
      ProxyPair.accept(listener).close();
    }
  }

  @Test
  void theSocketThatWasJudgedIsTheOneThatIsConnectedTo() throws Exception {
    Reach reach = all();
    try (UnixListener good = UnixListener.bind(inside.resolve("s.sock"), 1);
        UnixListener other = UnixListener.bind(outside.resolve("s.sock"), 1);
        Fd target = reach.openSocket(inside + "/s.sock");
        Fd socket = UnixSocket.open(UnixSocket.Type.STREAM, true)) {
      Files.move(inside.resolve("s.sock"), inside.resolve("moved"));
      Files.createSymbolicLink(inside.resolve("s.sock"), outside.resolve("s.sock"));
      assertThat(Reach.connect(socket, target)).isZero();
      ProxyPair.accept(good).close();
      assertThat(other.accept(false)).isNegative();
    }
  }
}
