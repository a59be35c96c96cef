package qtfs.dist;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/** The install image as users get it, unpacked into a directory with blanks in its path. */
record Tarball(Path directory, Path image) implements AutoCloseable {
  static final Path FILE = Path.of(Objects.requireNonNull(System.getProperty("qtfs.tarball")));

  static Tarball unpack() throws IOException, InterruptedException {
    Path directory = Files.createTempDirectory("qtfs image ");
    Command.succeed("chmod 755 \"$1\"; tar xzf \"$2\" -C \"$1\"", directory, FILE);
    try (var entries = Files.list(directory)) {
      return new Tarball(directory, entries.findFirst().orElseThrow());
    }
  }

  /** Skips the test, aloud, where the JDK that built the image could link no runtime. */
  void needRuntime() {
    TwoHosts.skipUnless(
        Files.exists(image.resolve("lib/runtime")),
        "the image has no Java runtime, since the JDK that built it can link none: build with"
            + " openjdk-25-jdk-headless");
  }

  @Override
  public void close() throws IOException {
    ImageFiles.deleteTree(directory);
  }
}
