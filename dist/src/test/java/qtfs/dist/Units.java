package qtfs.dist;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** The units of the install image. */
final class Units {
  private static final Path IMAGE =
      Path.of(Objects.requireNonNull(System.getProperty("qtfs.image"), "qtfs.image"))
          .toAbsolutePath();

  private Units() {}

  static Path image() {
    return IMAGE;
  }

  /** Where the image has them. */
  static Path directory() {
    return IMAGE.resolve("lib/systemd/system");
  }

  /** Their names. */
  static List<String> names() {
    try (Stream<Path> files = Files.list(directory())) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes them to a directory, with the programs of the image instead of those in /usr/bin. */
  static void copyTo(Path target) throws IOException {
    for (String name : names()) {
      String unit = Files.readString(directory().resolve(name));
      Files.writeString(
          target.resolve(name), unit.replaceAll("=/usr/bin/", "=" + IMAGE.resolve("bin") + "/"));
    }
  }
}
