package qtfs.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each question is one of {@link FileWatch#changed}: the second that finds the same is a yes. */
final class FileWatchTest {
  @TempDir Path dir;

  private Path write(String name, String text) throws IOException {
    return Files.writeString(dir.resolve(name), text);
  }

  /** Told once, at the second question, and not again. */
  private static void expectOneChange(FileWatch watch) {
    assertThat(watch.changed()).as("not settled").isFalse();
    assertThat(watch.changed()).as("settled").isTrue();
    assertThat(watch.changed()).as("known").isFalse();
  }

  @Test
  void aFileThatStaysIsNoChange() throws IOException {
    FileWatch watch = new FileWatch(write("f", "a"));
    assertThat(watch.changed()).isFalse();
    assertThat(watch.changed()).isFalse();
  }

  @Test
  void whatIsWrittenOrSetIsAChange() throws Exception {
    Path file = write("f", "a");
    FileWatch watch = new FileWatch(file);
    write("f", "ab");
    expectOneChange(watch);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
    expectOneChange(watch);
  }

  @Test
  void anotherFileUnderTheNameIsAChange() throws IOException {
    FileWatch watch = new FileWatch(write("f", "a"));
    Files.move(write("g", "b"), dir.resolve("f"), StandardCopyOption.ATOMIC_MOVE);
    expectOneChange(watch);
  }

  @Test
  void toAppearAndToVanishAreChanges() throws IOException {
    FileWatch watch = new FileWatch(dir.resolve("f"));
    assertThat(watch.changed()).isFalse();
    Path file = write("f", "a");
    expectOneChange(watch);
    Files.delete(file);
    expectOneChange(watch);
  }

  @Test
  void aFileThatIsBeingWrittenIsLeftAlone() throws IOException {
    Path file = write("f", "a");
    FileWatch watch = new FileWatch(file);
    for (int i = 0; i < 5; i++) {
      Files.writeString(file, "more", StandardOpenOption.APPEND);
      assertThat(watch.changed()).isFalse();
    }
    assertThat(watch.changed()).isTrue();
  }

  @Test
  void aMomentWithoutTheFileIsNoChangeOfItsOwn() throws IOException {
    Path file = write("f", "a");
    FileWatch watch = new FileWatch(file);
    Path aside = Files.move(file, dir.resolve("aside"));
    assertThat(watch.changed()).isFalse();
    Files.move(aside, file);
    assertThat(watch.changed()).isFalse();
  }

  /** As a ConfigMap is updated: the link that is exchanged is a directory's, above the file. */
  @Test
  void aLinkOnTheWayThatLeadsElsewhereIsAChange() throws IOException {
    for (String version : new String[] {"v1", "v2"}) {
      Files.createDirectory(dir.resolve(version));
      write(version + "/f", "same length " + version);
    }
    Files.createSymbolicLink(dir.resolve("data"), Path.of("v1"));
    Files.createSymbolicLink(dir.resolve("f"), Path.of("data/f"));
    FileWatch through = new FileWatch(dir.resolve("f"));
    FileWatch below = new FileWatch(dir.resolve("data/f"));
    Path next = Files.createSymbolicLink(dir.resolve("next"), Path.of("v2"));
    Files.move(next, dir.resolve("data"), StandardCopyOption.ATOMIC_MOVE);
    expectOneChange(through);
    expectOneChange(below);
  }
}
