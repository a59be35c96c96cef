package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.Pipe;
import qtfs.whitelist.QtfsWhitelist;

/**
 * A peer opens the directories and devices that the whitelist names, and nothing in their place.
 */
final class PlaceReachTest {
  private static final long NULL = FileStatus.device(1, 3);
  private static final long FULL = FileStatus.device(1, 7);

  @TempDir Path temp;
  private Path inside;
  private Path outside;

  @BeforeEach
  void makeDirectories() throws IOException {
    inside = Files.createDirectory(temp.toRealPath().resolve("inside"));
    outside = Files.createDirectory(temp.toRealPath().resolve("outside"));
  }

  private Reach reach(boolean anyFile, String... lines) throws Exception {
    Path file = Files.writeString(temp.resolve("whitelist"), String.join("\n", lines) + "\n");
    return new Reach(QtfsWhitelist.load(file), file, "/nowhere", false, anyFile);
  }

  private Reach listed() throws Exception {
    String all = "Path=/dev/full;/dev/loop-control;" + inside;
    return reach(false, "[Open]", all, "[Read]", all, "[Write]", all, "[Readdir]", all);
  }

  private static FdFrame.Place directory(Object path) {
    return new FdFrame.Place(Fd.O_RDONLY, FdFrame.Place.Type.DIRECTORY, 0, path.toString());
  }

  private static FdFrame.Place device(long node, Object path) {
    return new FdFrame.Place(Fd.O_RDWR, FdFrame.Place.Type.DEVICE, node, path.toString());
  }

  private static void assertRefused(Reach reach, FdFrame.Place place, String reason) {
    assertThatThrownBy(() -> reach.openPlace(place))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining(reason);
  }

  @Test
  void aListedDirectoryIsOpened() throws Exception {
    listed().openPlace(directory(inside)).close();
    Path sub = Files.createDirectory(inside.resolve("sub"));
    listed().openPlace(directory(sub)).close();
  }

  @Test
  void aDirectoryNeedsOpenAndReaddirAndOneByPathOpenOnly() throws Exception {
    Reach openOnly = reach(false, "[Open]", "Path=" + inside);
    assertThat(
            catchThrowableOfType(
                    RefusedException.class, () -> openOnly.openPlace(directory(inside)))
                .allow())
        .isEqualTo("[Readdir] Path=" + inside);
    FdFrame.Place byPath =
        new FdFrame.Place(Fd.O_PATH, FdFrame.Place.Type.DIRECTORY, 0, inside.toString());
    try (Fd fd = openOnly.openPlace(byPath)) {
      assertThat(Fcntl.statusFlags(fd) & Fd.O_PATH).isNotZero();
    }
    assertRefused(reach(false, ""), byPath, "is not in");
  }

  @Test
  void aDirectoryIsNotReachedThroughALinkOrDotDot() throws Exception {
    Files.createSymbolicLink(inside.resolve("link"), outside);
    assertRefused(listed(), directory(inside.resolve("link")), "leads to " + outside);
    assertRefused(listed(), directory(inside + "/../outside"), "is not in");
    assertRefused(listed(), directory(outside), "is not in");
    assertRefused(listed(), directory("/proc/self/root" + outside), "is not in");
  }

  @Test
  void aDirectoryIsNotOpenedForWriting() throws Exception {
    FdFrame.Place place =
        new FdFrame.Place(Fd.O_RDWR, FdFrame.Place.Type.DIRECTORY, 0, inside.toString());
    assertRefused(listed(), place, "access mode");
  }

  @Test
  void somethingElseInItsPlaceIsRefused() throws Exception {
    Path file = Files.writeString(inside.resolve("file"), "");
    Path fifo = inside.resolve("fifo");
    Pipe.makeFifo(fifo, 0600);
    assertRefused(listed(), directory(file), "is a regular file, not a directory");
    assertRefused(listed(), directory(fifo), "is a pipe, not a directory");
    assertRefused(listed(), directory("/dev/full"), "is a character device");
    assertRefused(listed(), device(FULL, file), "is a regular file");
    assertRefused(listed(), device(FULL, inside), "is a directory");
    Reach reach = listed();
    assertThatThrownBy(() -> reach.openFile("/dev/full", Fd.O_RDONLY))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("not a regular file");
  }

  @Test
  void twoDevicesNeedNoEntry() throws Exception {
    Reach none = reach(false, "");
    for (CommonDevice device : CommonDevice.values()) {
      FdFrame.Place place = device(FileStatus.of(Path.of(device.path())).node(), device.path());
      try (Fd fd = none.openPlace(place)) {
        assertThat(CommonDevice.of(FileStatus.of(fd).node())).contains(device);
      }
    }
  }

  @Test
  void theirNumbersOpenNothingElse() throws Exception {
    Reach none = reach(false, "");
    assertRefused(none, device(NULL, "/dev/full"), "is not in");
    assertRefused(none, device(FULL, "/dev/null"), "is not in");
    assertRefused(none, device(FileStatus.device(1, 5), "/dev/null"), "is not in");
    assertRefused(none, device(NULL, "/dev/../dev/null"), "is not in");
  }

  @Test
  void otherDevicesNeedAnEntryAndTheirNumber() throws Exception {
    listed().openPlace(device(FULL, "/dev/full")).close();
    assertRefused(listed(), device(NULL, "/dev/full"), "of the number that was passed");
    assertRefused(listed(), device(FileStatus.device(1, 9), "/dev/urandom"), "is not in");
    Files.createSymbolicLink(inside.resolve("random"), Path.of("/dev/urandom"));
    assertRefused(
        listed(), device(FileStatus.device(1, 9), inside.resolve("random")), "leads to /dev/");
  }

  @Test
  void anyFileIsAnyDirectoryButNoDevice() throws Exception {
    Reach any = reach(true, "");
    any.openPlace(directory(outside)).close();
    assertRefused(any, device(FULL, "/dev/full"), "is not in");
  }
}
